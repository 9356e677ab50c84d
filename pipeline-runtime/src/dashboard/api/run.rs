//! One run: its state, why it has not ended, and how its time was spent.

use super::{AsOf, NoQuery, Problem, QueryString, Site, at, ms, run_json, why};
use crate::journal::Holder;
use crate::observe::{CallbackHistory, RunHistory, Waits};
use crate::read::{DocumentBuilder, JournalReader, ReadError, RunDetails};
use crate::time::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The names of the kinds of time, in the order of [`TimeKind`].
pub(super) const KINDS: [&str; 6] = ["worked", "poked", "data", "retry", "queued", "nobody"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunQuery {
    record: Option<i64>,
    /// The maximum time in milliseconds to read a run that is not cached.
    within: Option<u64>,
}

impl RunQuery {
    pub(super) fn as_of(&self) -> AsOf {
        AsOf { record: self.record, within: self.within.map(Duration::from_millis) }
    }
}

/// The moment for which a run is shown, and whether a process ran it then.
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) is_run: bool,
}

impl Moment {
    /// Returns the time of the record if the run is shown as of a record or is not completely read; otherwise now.
    pub(super) fn of(site: &Site, details: &RunDetails, as_of: AsOf) -> Self {
        let history = details.history();
        // Never earlier than the last event: the clock that wrote it may be ahead of this one.
        let last = history.started + history.latest();
        if as_of.record.is_some() || !as_of.is_reached(details) {
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
    QueryString(query): QueryString<RunQuery>,
) -> Result<Json<Value>, Problem> {
    let as_of = query.as_of();
    site.view_run(run, as_of, move |site, reader, details| Ok(Json(run_page_json(site, reader, details, as_of)?))).await
}

/// Returns the run as one file.
pub(super) async fn document(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Response, Problem> {
    let name = format!("{}-{}.html", run.0, run.1);
    // A run's id may contain characters that are not allowed in file names.
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let page = site.view_run(run, AsOf::NOW, |site, reader, details| {
        let Moment { now, is_run } = Moment::of(site, details, AsOf::NOW);
        Ok(DocumentBuilder { reader, pipelines: &site.pipelines, now, is_run }.document(details)?)
    });
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, page.await?).into_response())
}

fn run_page_json(site: &Site, reader: &JournalReader, details: &RunDetails, as_of: AsOf) -> Result<Value, Problem> {
    let (run, history) = (details.summary(), details.history());
    let moment = Moment::of(site, details, as_of);
    let (is_reading, last) = (!as_of.is_reached(details), details.last_record());
    let record = if is_reading { details.tail().last_applied() } else { as_of.record.unwrap_or(last).min(last) };
    let updates = reader.journal().updates_of_run(run.stored().key).map_err(ReadError::from)?;
    let updates: Vec<Value> = updates
        .iter()
        .map(|(begins, update)| {
            let by = update.by.as_ref().map(ToString::to_string);
            json!({
                "verb": if *begins { "started by" } else { "reads" },
                "asset": update.asset,
                "at": at(update.at),
                "by": by,
            })
        })
        .collect();
    let states: Map<String, Value> = history.counts().map(|(state, count)| (state.name().to_owned(), count.into())).collect();
    let settings: Map<String, Value> = run.settings().clone();
    let end = if is_reading {
        run.stored().finished.unwrap_or_else(|| site.clock.now()).since(history.started)
    } else {
        history.finished.unwrap_or_else(|| moment.now.since(history.started))
    };
    let mut summary = run_json(run);
    if as_of.record.is_some_and(|record| record < last) {
        summary["state"] = json!(history.state);
        summary["finished"] = Value::Null;
        summary["duration_ms"] = Value::Null;
    }
    Ok(json!({
        "now": at(site.clock.now()),
        "as_of": at(moment.now),
        "run": summary,
        // Unknown while the run is not completely read.
        "why": if is_reading { Value::Null } else { why(site, reader, details, &moment)? },
        "nodes": history.listed_count(),
        "states": states,
        "totals": totals(history, moment.now.since(history.started)),
        "critical_path": critical_path(history),
        "records": { "at": record, "last": last, "at_ms": ms(history.latest()), "reading": is_reading },
        "end_ms": ms(end),
        "idle_ms": ms(history.idle()),
        "note": details.plan_mismatch(),
        "removed": details.removed_nodes(),
        "settings": settings,
        "updates": updates,
        "callbacks": history.callbacks.iter().map(|callback| callback_json(history, callback)).collect::<Vec<_>>(),
        "logs": reader.journal().lines_before(run.stored().key, None, None, i64::MAX, 1).map_err(ReadError::from)?.len(),
    }))
}

fn why(site: &Site, reader: &JournalReader, details: &RunDetails, moment: &Moment) -> Result<Value, Problem> {
    let (run, history) = (details.summary(), details.history());
    if history.state.is_end() {
        return Ok(Value::Null);
    }
    if let Some(reason) = run.blocked() {
        return Ok(why::sentence_json("blocked", reason));
    }
    if run.state() == crate::RunState::Queued {
        return why::of_queued(site, reader, run, moment.now, moment.is_run);
    }
    if !moment.is_run {
        return Ok(why::sentence_json("no_process", "no process runs it: `serve` or `resume` continues it"));
    }
    why::of_run(&moment.waits(history), &mut site.taken_slots(reader))
}

/// Returns how all nodes together spent their time.
fn totals(history: &RunHistory, now: Duration) -> Value {
    let named = KINDS.iter().zip(history.totals(now)).map(|(kind, total)| ((*kind).to_owned(), json!(ms(total))));
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

fn callback_json(history: &RunHistory, callback: &CallbackHistory) -> Value {
    let state = match callback.delivered_at {
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
