//! A plan as an SVG picture: one file without a script, in the reader's light or dark color scheme.

use super::super::graph::{NodeIx, Plan};
use super::super::layout::{HEIGHT, WIDTH};
use super::{PlanDrawing, kind};
use std::fmt::Write;

/// The margin around the drawing.
const MARGIN: f64 = 16.0;
/// The number of characters of an id that fit into a box.
const LONGEST: usize = 24;

const STYLE: &str = "svg{font:12px system-ui,sans-serif;color-scheme:light dark}\
rect{fill:#fff;stroke:#57606a;rx:5}text{fill:#1f2328}path{fill:none;stroke:#8c959f;stroke-width:1.3}.order{stroke-dasharray:4 3}\
.sensor rect{stroke:#0969da;stroke-width:1.6}.each rect{stroke-width:3}\
@media(prefers-color-scheme:dark){rect{fill:#161b22;stroke:#8b949e}text{fill:#e6edf3}path{stroke:#6e7681}.sensor rect{stroke:#58a6ff}}";

impl Plan {
    /// The plan as an SVG picture: a box for each task and sensor, and one for each mapping. A dashed line is an order without a
    /// value.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn rows() -> Result<u64> { Ok(1) }
    /// #[task] async fn load(rows: u64) -> Result<()> { Ok(()) }
    /// #[pipeline] fn nightly() { load(rows()); }
    ///
    /// let svg = nightly().plan(&serde_json::Value::Null)?.to_svg();
    /// assert!(svg.starts_with("<svg ") && svg.contains(">load</text>"));
    /// # Ok::<(), pipeline_runtime::PlanError>(())
    /// ```
    pub fn to_svg(&self) -> String {
        self.to_svg_with(|_| None)
    }

    /// The plan as in [`to_svg`](Self::to_svg), whose boxes have the states of their nodes as classes, `s-success`, and in their
    /// titles.
    pub(crate) fn to_svg_with(&self, state: impl Fn(NodeIx) -> Option<&'static str>) -> String {
        let PlanDrawing { boxes, edges, drawing } = self.to_drawing();
        let (width, height) = (drawing.width + 2.0 * MARGIN, drawing.height + 2.0 * MARGIN);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{:.0} {:.0} {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"{}\"><style>{STYLE}</style>\n",
            -MARGIN,
            -MARGIN,
            escaped(self.pipeline)
        );
        // Writing to a `String` cannot fail.
        for ((_, _, is_order), points) in edges.iter().zip(&drawing.edges) {
            let _ = writeln!(svg, "<path{} d=\"{}\"/>", if *is_order { " class=\"order\"" } else { "" }, curve(points));
        }
        for (ix, (x, y)) in boxes.iter().zip(&drawing.boxes) {
            let id = self.id(*ix);
            let shown: String =
                if id.chars().count() > LONGEST { id.chars().take(LONGEST - 1).chain(['…']).collect() } else { id.clone() };
            let state = state(*ix);
            let class = state.map(|state| format!(" s-{state}")).unwrap_or_default();
            let title = state.map(|state| format!(": {state}")).unwrap_or_default();
            let _ = writeln!(
                svg,
                "<g class=\"{}{class}\"><title>{}{title}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                kind(self, *ix),
                escaped(&id),
                x + 10.0,
                y + HEIGHT / 2.0 + 4.0,
                escaped(&shown)
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A line through points, which starts and ends horizontally.
fn curve(points: &[(f64, f64)]) -> String {
    let Some(((x, y), rest)) = points.split_first() else { return String::new() };
    let mut path = format!("M{x:.1} {y:.1}");
    let (mut from_x, mut from_y) = (*x, *y);
    for (x, y) in rest {
        if (from_y - y).abs() < 0.05 {
            let _ = write!(path, "H{x:.1}");
        } else {
            let middle = f64::midpoint(from_x, *x);
            let _ = write!(path, "C{middle:.1} {from_y:.1} {middle:.1} {y:.1} {x:.1} {y:.1}");
        }
        (from_x, from_y) = (*x, *y);
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
