//! Compares two runs.

use super::{Problem, QueryString, Site, ms, run_json};
use crate::read::{JournalReader, NodeDetails, RunDetails};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The maximum number of nodes that are compared.
const MAX_NODES: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareQuery {
    a: String,
    b: String,
}

pub(super) async fn compare(
    State(site): State<Arc<Site>>,
    QueryString(CompareQuery { a, b }): QueryString<CompareQuery>,
) -> Result<Json<Value>, Problem> {
    site.readers
        .read(move |reader| {
            let (a, b) = (read_run(reader, &a)?, read_run(reader, &b)?);
            let (of_a, of_b) = (nodes(&a), nodes(&b));
            let both = of_a.iter().filter_map(|(id, a)| Some((id, a, of_b.get(id)?)));
            let both: Vec<Value> = both.take(MAX_NODES).map(|(id, a, b)| compare_node(id, *a, *b)).collect();
            let only = |here: &BTreeMap<String, NodeDetails<'_>>, there: &BTreeMap<String, NodeDetails<'_>>| {
                here.keys().filter(|id| !there.contains_key(*id)).take(MAX_NODES).cloned().collect::<Vec<_>>()
            };
            Ok(Json(json!({
                "a": run_json(a.summary()),
                "b": run_json(b.summary()),
                "params": params(a.summary().params(), b.summary().params()),
                "nodes": both,
                "only_a": only(&of_a, &of_b),
                "only_b": only(&of_b, &of_a),
            })))
        })
        .await
}

fn read_run(reader: &JournalReader, name: &str) -> Result<RunDetails, Problem> {
    let run = reader.run(name)?.ok_or_else(|| Problem::not_found(format!("the journal has no run `{name}`")))?;
    Ok(reader.details(&run)?)
}

fn nodes(details: &RunDetails) -> BTreeMap<String, NodeDetails<'_>> {
    details.nodes().map(|node| (node.id(), node)).collect()
}

fn compare_node(id: &str, a: NodeDetails<'_>, b: NodeDetails<'_>) -> Value {
    let took = |node: NodeDetails<'_>| Some(ms((node.finished()? - node.started()?).to_std().unwrap_or_default()));
    let output = |node: NodeDetails<'_>| node.output::<Value>().ok().flatten();
    json!({
        "node": id,
        "a_ms": took(a),
        "b_ms": took(b),
        "a_state": a.state(),
        "b_state": b.state(),
        "output_differs": output(a) != output(b),
    })
}

/// Returns the params that differ: their path, and both values.
fn params(a: &Value, b: &Value) -> Vec<Value> {
    let mut differ = Vec::new();
    differences("", a, b, &mut differ);
    differ
}

fn differences(path: &str, a: &Value, b: &Value, differ: &mut Vec<Value>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                differences(&path, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), differ);
            }
        }
        (a, b) if a != b => differ.push(json!([path, a, b])),
        _ => {}
    }
}
