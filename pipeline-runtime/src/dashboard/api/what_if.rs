//! A run replayed with something changed.

use super::run::KINDS;
use super::{AsOf, Problem, QueryString, Site, ms};
use crate::engine::Slot;
use crate::journal::StoredRun;
use crate::observe::RunHistory;
use crate::read::{JournalReader, RunDetails};
use crate::simulate::what_if::{Assumptions, WhatIf, WhatIfError};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The maximum number of nodes; those that differ come first.
const MAX_NODES: usize = 2_000;
/// The maximum real time of a replay.
const MAX_TIME: Duration = Duration::from_secs(2);

/// The query takes `arrive`, `fail`, `set` and `slots`, each any number of times, in the notation of `what-if` on the command
/// line.
pub(super) async fn what_if(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(query): QueryString<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let given = query.iter().filter(|(_, text)| !text.is_empty()).map(|(what, text)| (what.as_str(), text.as_str()));
    let assumptions = Assumptions::of(given).map_err(|error| Problem::bad_request(error.to_string()))?;
    let copy =
        |_: &Site, _: &JournalReader, details: &RunDetails| Ok((details.summary().stored().clone(), details.history().clone()));
    let (stored, history) = Arc::clone(&site).view_run(run, AsOf::NOW, copy).await?;
    // One at a time: each uses a core.
    let _one = site.simulating.lock().await;
    let of_site = Arc::clone(&site);
    let simulated = tokio::task::spawn_blocking(move || simulated(&of_site, &stored, &history, &assumptions)).await;
    simulated.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())).map(Json)
}

fn simulated(site: &Site, stored: &StoredRun, recorded: &RunHistory, assumptions: &Assumptions) -> Result<Value, Problem> {
    let now = site.clock.now().since(recorded.started).max(recorded.latest());
    let until = if recorded.state.is_end() { recorded.latest() } else { now };
    let repeated = WhatIf::of(stored, recorded, &site.pipelines, assumptions, MAX_TIME).map_err(|error| match error {
        WhatIfError::Wrong { .. } => Problem::bad_request(error.to_string()),
        error => Problem::refused(&error.to_string()),
    })?;
    let mut nodes: Vec<(bool, Value)> = repeated
        .beside(recorded)
        .into_iter()
        .map(|(id, in_recorded, in_repeated)| {
            let before = in_recorded.map(|slot| node_json(recorded, slot, recorded.node(slot).state().name(), (until, false)));
            let after = in_repeated.map(|slot| {
                let is_unknown = repeated.is_unknown(slot);
                let state = if is_unknown { "unknown" } else { repeated.history.node(slot).state().name() };
                node_json(&repeated.history, slot, state, (repeated.latest(), is_unknown))
            });
            let differs = repeated.differs(recorded, in_recorded, in_repeated);
            (differs, json!({ "node": id, "differs": differs, "run": before, "what_if": after }))
        })
        .collect();
    let total = nodes.len();
    if total > MAX_NODES {
        nodes.sort_by_key(|(differs, _)| !differs);
        nodes.truncate(MAX_NODES);
    }
    let arrivals = repeated.arrivals.iter().map(|(id, arrived)| {
        let window = arrived.recorded;
        json!({
            "node": id,
            "after_ms": window.and_then(|window| window.after).map(ms),
            "by_ms": window.map(|window| ms(window.by)),
            "here_ms": arrived.assumed.map(ms),
        })
    });
    Ok(json!({
        "run": { "state": recorded.state, "end_ms": recorded.finished.map(ms) },
        "what_if": {
            "state": if repeated.is_known() { repeated.history.state.name() } else { "unknown" },
            "end_ms": repeated.finished().map(ms),
        },
        "end_ms": ms(repeated.latest().max(until)),
        "kinds": KINDS,
        "arrivals": arrivals.collect::<Vec<_>>(),
        "notes": repeated.notes,
        "total": total,
        "nodes": nodes.into_iter().map(|(_, node)| node).collect::<Vec<_>>(),
    }))
}

/// Serializes the result of a node. What it does after `until` is unknown, and left out.
fn node_json(history: &RunHistory, slot: Slot, state: &str, (until, is_unknown): (Duration, bool)) -> Value {
    let node = history.node(slot);
    let is_known = |from: Duration| !is_unknown || from <= until;
    let end = |at: Option<Duration>| at.filter(|at| is_known(*at)).unwrap_or(until);
    let spans: Vec<Value> = history
        .periods(slot)
        .into_iter()
        .filter(|span| is_known(span.from))
        .map(|span| json!([span.kind as usize, ms(span.from), ms(end(span.until))]))
        .take(super::nodes::MAX_PERIODS)
        .collect();
    json!({
        "state": state,
        "attempts": node.attempts(),
        "pokes": node.pokes(),
        "error": if is_unknown { None } else { node.error() },
        "start_ms": node.began().map(ms),
        "end_ms": if is_unknown { None } else { node.finished_at().map(ms) },
        "spans": spans,
    })
}
