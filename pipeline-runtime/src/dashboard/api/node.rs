//! One node of a run: its attempts, pokes, inputs, output and options.

use super::run::Moment;
use super::{AsOf, Problem, QueryString, Site, at, ms, why};
use crate::engine::Slot;
use crate::observe::RunHistory;
use crate::read::{Attempt, RunDetails};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The length up to which an output is shown.
const MAX_SHOWN: usize = 64 << 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeQuery {
    id: String,
    record: Option<i64>,
}

pub(super) async fn node(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(NodeQuery { id, record }): QueryString<NodeQuery>,
) -> Result<Json<Value>, Problem> {
    site.view_run(run, AsOf::after(record), move |site, reader, details| {
        let slot = find_slot(details, &id)?;
        let moment = Moment::of(site, details, AsOf::after(record));
        let mut pools = site.taken_slots(reader);
        let mut json = node_json(details, slot);
        json["why"] = why::of_node(&moment.waits(details.history()), slot, &mut pools)?;
        Ok(Json(json))
    })
    .await
}

/// Returns a node's whole output as a file.
pub(super) async fn output(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(NodeQuery { id, record }): QueryString<NodeQuery>,
) -> Result<Response, Problem> {
    let output = site.view_run(run, AsOf::after(record), move |_, _, details| {
        let output = details.history().node(find_slot(details, &id)?).output().cloned();
        output.ok_or_else(|| Problem::not_found(format!("`{id}` has no stored output")))
    });
    let json = output.await?;
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_DISPOSITION, "attachment; filename=\"output.json\"")];
    Ok((headers, json.to_vec()).into_response())
}

fn find_slot(details: &RunDetails, id: &str) -> Result<Slot, Problem> {
    let found = details.history().find(id);
    found.ok_or_else(|| Problem::not_found(format!("run `{}` has no node `{id}`", details.run_id())))
}

fn node_json(details: &RunDetails, slot: Slot) -> Value {
    let history = details.history();
    let (id, node) = (history.id(slot), history.node(slot));
    let node_details = details.node(&id);
    let attempts = node_details.map(|node| node.attempts()).unwrap_or_default();
    let output = node.output().map(|json| pretty_output(json));
    let plan = history.plan();
    let of_plan = plan.node_json(history.node_ix(slot));
    let inputs = history.upstream_slots(slot).into_iter().map(|up| upstream(history, up));
    let inputs: Vec<Value> = inputs.collect();
    json!({
        "node": id,
        "state": node.state(),
        "kind": if history.is_sensor(slot) { json!("sensor") } else { of_plan["kind"].clone() },
        "description": of_plan["description"],
        "skipped": node_details.and_then(|node| node.skipped()),
        "failed_upstream": node_details.and_then(|node| node.failed_upstream()),
        "error": node.error(),
        "retried": node.cleared_at().map(|cleared| at(history.started + cleared)),
        "attempts": attempts.iter().map(Attempt::to_json).collect::<Vec<_>>(),
        "pokes": if history.is_sensor(slot) { node.poke_times().into_iter().map(ms).collect::<Vec<_>>() } else { Vec::new() },
        "inputs": inputs,
        "parameters": of_plan["inputs"],
        "output": output,
        "output_bytes": node.output().map(|json| json.len()),
        "options": of_plan["options"],
        "group": of_plan["group"],
        "defined": of_plan["defined_at"],
        "wired": of_plan["wired_at"],
        "deadline": history.deadline(slot).filter(|_| !node.state().is_end()).map(|deadline| at(history.started + deadline)),
        "next": node.next().map(|next| at(history.started + next)),
    })
}

/// Formats JSON for people, up to a limit.
fn pretty_output(json: &[u8]) -> String {
    let pretty = serde_json::from_slice::<Value>(json).ok().filter(|_| json.len() <= MAX_SHOWN);
    let mut text = match pretty {
        Some(value) => format!("{value:#}"),
        None => String::from_utf8_lossy(json).into_owned(),
    };
    if text.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn upstream(history: &RunHistory, slot: Slot) -> Value {
    json!({ "node": history.id(slot), "state": history.node(slot).state(), "gate": !history.is_body(slot) })
}
