//! A run replayed with something changed.

use super::run::KINDS;
use super::{Args, Problem, Site, When, ms};
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
const NODES: usize = 2_000;
/// The maximum real time of a replay.
const MOST: Duration = Duration::from_secs(2);

/// The query takes `arrive`, `fail`, `set` and `slots`, each any number of times, in the notation of `what-if` on the command
/// line.
pub(super) async fn what_if(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    Args(asked): Args<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let given = asked.iter().filter(|(_, text)| !text.is_empty()).map(|(what, text)| (what.as_str(), text.as_str()));
    let assumptions = Assumptions::of(given).map_err(|error| Problem::wrong(error.to_string()))?;
    let look =
        |_: &Site, _: &JournalReader, details: &RunDetails| Ok((details.summary().stored().clone(), details.history().clone()));
    let (stored, history) = Arc::clone(&site).look(run, When::NOW, look).await?;
    // One at a time: each uses a core.
    let _one = site.simulating.lock().await;
    let of_site = Arc::clone(&site);
    let simulated = tokio::task::spawn_blocking(move || simulated(&of_site, &stored, &history, &assumptions)).await;
    simulated.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())).map(Json)
}

fn simulated(site: &Site, stored: &StoredRun, there: &RunHistory, assumptions: &Assumptions) -> Result<Value, Problem> {
    let now = site.clock.now().since(there.started).max(there.latest());
    let until = if there.state.is_end() { there.latest() } else { now };
    let here = WhatIf::of(stored, there, &site.pipelines, assumptions, MOST).map_err(|error| match error {
        WhatIfError::Wrong { .. } => Problem::wrong(error.to_string()),
        error => Problem::refused(&error.to_string()),
    })?;
    let mut nodes: Vec<(bool, Value)> = here
        .beside(there)
        .into_iter()
        .map(|(id, of_run, of_here)| {
            let was = of_run.map(|slot| told(there, slot, there.node(slot).state().name(), (until, false)));
            let is = of_here.map(|slot| {
                let is_unknown = here.is_unknown(slot);
                let state = if is_unknown { "unknown" } else { here.history.node(slot).state().name() };
                told(&here.history, slot, state, (here.latest(), is_unknown))
            });
            let differs = here.differs(there, of_run, of_here);
            (differs, json!({ "node": id, "differs": differs, "run": was, "what_if": is }))
        })
        .collect();
    let total = nodes.len();
    if total > NODES {
        nodes.sort_by_key(|(differs, _)| !differs);
        nodes.truncate(NODES);
    }
    let arrivals = here.arrivals.iter().map(|(id, arrived)| {
        let window = arrived.recorded;
        json!({
            "node": id,
            "after_ms": window.and_then(|window| window.after).map(ms),
            "by_ms": window.map(|window| ms(window.by)),
            "here_ms": arrived.assumed.map(ms),
        })
    });
    Ok(json!({
        "run": { "state": there.state, "end_ms": there.finished.map(ms) },
        "what_if": {
            "state": if here.is_known() { here.history.state.name() } else { "unknown" },
            "end_ms": here.finished().map(ms),
        },
        "end_ms": ms(here.latest().max(until)),
        "kinds": KINDS,
        "arrivals": arrivals.collect::<Vec<_>>(),
        "notes": here.notes,
        "total": total,
        "nodes": nodes.into_iter().map(|(_, node)| node).collect::<Vec<_>>(),
    }))
}

/// Serializes the result of a node. What it does after `until` is unknown, and left out.
fn told(history: &RunHistory, slot: Slot, state: &str, (until, is_unknown): (Duration, bool)) -> Value {
    let node = history.node(slot);
    let is_known = |from: Duration| !is_unknown || from <= until;
    let end = |at: Option<Duration>| at.filter(|at| is_known(*at)).unwrap_or(until);
    let spans: Vec<Value> = history
        .spent(slot)
        .into_iter()
        .filter(|span| is_known(span.from))
        .map(|span| json!([span.what as usize, ms(span.from), ms(end(span.until))]))
        .take(super::nodes::STRETCHES)
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
