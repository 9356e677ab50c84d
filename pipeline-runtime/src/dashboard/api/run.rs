//! One run: its state, why it has not ended, where its time went.

use super::{Args, Problem, Site, at, ms, whole, why};
use crate::journal::Holder;
use crate::observe::{CallbackHistory, Pools, RunHistory, Waits};
use crate::read::{JournalReader, ReadError, RunDetails};
use crate::time::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The names of what time goes into, as [`Spent`] has them.
pub(super) const KINDS: [&str; 6] = ["worked", "poked", "data", "retry", "queued", "nobody"];

#[derive(Debug, Deserialize)]
pub(super) struct AsOf {
    record: Option<i64>,
}

/// The moment as of which a run is shown, and whether a process had it then.
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) is_run: bool,
}

impl Moment {
    /// Of a run that is shown as of a record, the time of that record; else now.
    pub(super) fn of(site: &Site, details: &RunDetails, record: Option<i64>) -> Self {
        let history = details.history();
        // Not before what has happened: the clock that wrote that may be ahead of this one.
        let last = history.started + history.latest();
        if record.is_some() {
            return Self { now: last, is_run: true };
        }
        let is_held = Holder::of(&site.readers.journal).is_some();
        Self { now: site.clock.now().max(last), is_run: is_held && details.summary().blocked().is_none() }
    }

    pub(super) fn waits<'a>(&self, history: &'a RunHistory) -> Waits<'a> {
        Waits { history, now: self.now, is_run: self.is_run }
    }
}

pub(super) async fn run(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    Args(AsOf { record }): Args<AsOf>,
) -> Result<Json<Value>, Problem> {
    site.look(run, record, move |site, reader, details| Ok(Json(told(site, reader, details, record)?))).await
}

fn told(site: &Site, reader: &JournalReader, details: &RunDetails, record: Option<i64>) -> Result<Value, Problem> {
    let (run, history) = (details.summary(), details.history());
    let moment = Moment::of(site, details, record);
    let updates = reader.journal().updates_of_run(run.stored().key).map_err(ReadError::from)?;
    let updates: Vec<Value> = updates
        .iter()
        .map(|(begins, update)| {
            let by = update.by.as_ref().map(ToString::to_string);
            json!({
                "verb": if *begins { "begun by" } else { "reads" },
                "asset": update.asset,
                "at": at(update.at),
                "by": by,
            })
        })
        .collect();
    let states: Map<String, Value> = history.counts().map(|(state, count)| (state.name().to_owned(), count.into())).collect();
    let settings: Map<String, Value> = run.settings().clone();
    let mut summary = whole(run);
    if record.is_some_and(|record| record < details.last_record()) {
        summary["state"] = json!(history.state);
        summary["finished"] = Value::Null;
        summary["duration_ms"] = Value::Null;
    }
    Ok(json!({
        "now": at(site.clock.now()),
        "as_of": at(moment.now),
        "run": summary,
        "why": why(site, reader, details, &moment)?,
        "nodes": history.listed().len(),
        "states": states,
        "totals": totals(history, moment.now.since(history.started)),
        "critical_path": critical_path(history),
        "records": { "at": record.unwrap_or(details.last_record()).min(details.last_record()), "last": details.last_record(), "at_ms": ms(history.latest()) },
        "end_ms": ms(history.finished.unwrap_or_else(|| moment.now.since(history.started))),
        "note": details.not_by_present_plan(),
        "removed": details.removed_nodes(),
        "settings": settings,
        "updates": updates,
        "callbacks": history.callbacks.iter().map(|callback| told_to(history, callback)).collect::<Vec<_>>(),
        "logs": reader.journal().lines_before(run.stored().key, None, None, i64::MAX, 1).map_err(ReadError::from)?.len(),
    }))
}

fn why(site: &Site, reader: &JournalReader, details: &RunDetails, moment: &Moment) -> Result<Value, Problem> {
    let (run, history) = (details.summary(), details.history());
    if history.state.is_end() {
        return Ok(Value::Null);
    }
    if let Some(reason) = run.blocked() {
        return Ok(why::said("blocked", reason));
    }
    if run.state() == crate::RunState::Queued {
        return why::of_queued(site, reader, run, moment.now, moment.is_run);
    }
    if !moment.is_run {
        return Ok(why::said("no_process", "no process runs it: `serve` or `resume` goes on with it"));
    }
    why::of_run(&moment.waits(history), &mut Pools::new(reader.journal(), &site.pipelines))
}

/// What the time of all nodes together went into.
fn totals(history: &RunHistory, now: Duration) -> Value {
    let mut totals = [Duration::ZERO; KINDS.len()];
    for slot in history.listed() {
        for stretch in history.spent(slot) {
            totals[stretch.what as usize] += stretch.until.unwrap_or(now).saturating_sub(stretch.from);
        }
    }
    let named = KINDS.iter().zip(totals).map(|(kind, total)| ((*kind).to_owned(), json!(ms(total))));
    Value::Object(named.collect())
}

fn critical_path(history: &RunHistory) -> Vec<Value> {
    let path = history.critical_path();
    path.into_iter()
        .map(|slot| {
            let node = history.node(slot);
            json!({
                "node": history.id(slot),
                "from_ms": node.began().map(ms),
                "until_ms": node.finished_at().or(node.since()).map(ms),
            })
        })
        .collect()
}

fn told_to(history: &RunHistory, callback: &CallbackHistory) -> Value {
    let state = match callback.told {
        Some(_) => "told",
        None if callback.given_up => "given_up",
        None => "due",
    };
    json!({
        "callback": callback.event.name(),
        "node": callback.node,
        "notifier": callback.notifier,
        "state": state,
        "tries": callback.tries,
        "at": at(history.started + callback.at),
    })
}
