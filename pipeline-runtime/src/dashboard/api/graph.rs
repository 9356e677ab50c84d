//! Drawn plans: the boxes and edges of a pipeline, or of a run with the states of its nodes.

use super::{AsOf, NoQuery, Problem, QueryString, Site};
use crate::plan::{Plan, layout};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphQuery {
    record: Option<i64>,
    /// `only` returns just the states.
    states: Option<String>,
}

pub(super) async fn of_pipeline(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id).cloned();
    let pipeline = pipeline.ok_or_else(|| Problem::not_found(format!("this program has no pipeline `{id}`")))?;
    // A large plan takes a while to draw.
    site.readers
        .read(move |_| {
            let plan = pipeline.plan(&Value::Null).map_err(|error| Problem::refused(&error.to_string()))?;
            Ok(Json(drawing_json(&plan)))
        })
        .await
}

pub(super) async fn of_run(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(GraphQuery { record, states }): QueryString<GraphQuery>,
) -> Result<Json<Value>, Problem> {
    site.view_run(run, AsOf::after(record), move |_, _, details| {
        let history = details.history();
        let plan = history.plan();
        let states_of: Vec<Value> = history.states_of(&plan.boxes()).into_iter().map(|state| json!(state)).collect();
        if states.as_deref() == Some("only") {
            return Ok(Json(json!({ "states": states_of })));
        }
        let mut graph = drawing_json(plan);
        for (node, state) in graph["boxes"].as_array_mut().into_iter().flatten().zip(states_of) {
            node["state"] = state;
        }
        Ok(Json(graph))
    })
    .await
}

fn drawing_json(plan: &Plan) -> Value {
    let graph = plan.to_drawing();
    let boxes: Vec<Value> = graph
        .boxes
        .iter()
        .zip(&graph.drawing.boxes)
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
    let edges: Vec<Value> = graph
        .edges
        .iter()
        .zip(&graph.drawing.edges)
        .map(|((from, to, ordered), points)| {
            let points: Vec<f64> = points.iter().flat_map(|(x, y)| [*x, *y]).collect();
            json!({ "from": from, "to": to, "ordered": ordered, "points": points })
        })
        .collect();
    json!({ "width": graph.drawing.width, "height": graph.drawing.height, "boxes": boxes, "edges": edges })
}
