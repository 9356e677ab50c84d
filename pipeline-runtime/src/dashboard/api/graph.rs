//! Drawn plans: the boxes and edges of a pipeline, or of a run with the states of its nodes.

use super::{Args, Nothing, Problem, Site, When};
use crate::plan::{Plan, layout};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    record: Option<i64>,
    /// `only` returns just the states.
    states: Option<String>,
}

pub(super) async fn of_pipeline(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    Args(Nothing {}): Args<Nothing>,
) -> Result<Json<Value>, Problem> {
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id).cloned();
    let pipeline = pipeline.ok_or_else(|| Problem::not_found(format!("this program has no pipeline `{id}`")))?;
    // A large plan takes a while to draw.
    site.readers
        .read(move |_| {
            let plan = pipeline.plan(&Value::Null).map_err(|error| Problem::refused(&error.to_string()))?;
            Ok(Json(drawn(&plan)))
        })
        .await
}

pub(super) async fn of_run(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    Args(Asked { record, states }): Args<Asked>,
) -> Result<Json<Value>, Problem> {
    site.look(run, When::after(record), move |_, _, details| {
        let history = details.history();
        let plan = history.plan();
        let states_of: Vec<Value> = history.states_of(&plan.boxes()).into_iter().map(|state| json!(state)).collect();
        if states.as_deref() == Some("only") {
            return Ok(Json(json!({ "states": states_of })));
        }
        let mut told = drawn(plan);
        for (told, state) in told["boxes"].as_array_mut().into_iter().flatten().zip(states_of) {
            told["state"] = state;
        }
        Ok(Json(told))
    })
    .await
}

fn drawn(plan: &Plan) -> Value {
    let drawn = plan.to_drawing();
    let boxes: Vec<Value> = drawn
        .boxes
        .iter()
        .zip(&drawn.drawing.boxes)
        .map(|(ix, (x, y))| {
            let of = plan.node_json(*ix);
            json!({
                "node": of["id"],
                "label": of["id"],
                "kind": of["kind"],
                "group": of["group"],
                "x": x,
                "y": y,
                "w": layout::WIDTH,
                "h": layout::HEIGHT,
            })
        })
        .collect();
    let edges: Vec<Value> = drawn
        .edges
        .iter()
        .zip(&drawn.drawing.edges)
        .map(|((from, to, ordered), points)| {
            let points: Vec<f64> = points.iter().flat_map(|(x, y)| [*x, *y]).collect();
            json!({ "from": from, "to": to, "ordered": ordered, "points": points })
        })
        .collect();
    json!({ "width": drawn.drawing.width, "height": drawn.drawing.height, "boxes": boxes, "edges": edges })
}
