use super::{View, Watched};
use crate::cli::output;
use crate::engine::{Entry, NodeState, Record, Slot};
use crate::observe::{CallbackHistory, NodeHistory};
use crate::time::Timestamp;
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One object an event, on stdout. Their shape is documented in [`cli`](crate::cli).
#[derive(Debug)]
pub(super) struct Json;

impl View for Json {
    fn opened(&mut self, run: &Watched) {
        let opening = Event::Started {
            at: date(run.started),
            run_id: &run.info.run_id,
            pipeline: &run.info.pipeline,
            logical_date: date(run.info.interval.start.into()),
            data_interval_end: date(run.info.interval.end.into()),
            params: &run.info.params,
            nodes: run.history.plan().bodies().count(),
            resumed: run.resumed,
        };
        output::to_stdout(&opening.to_line());
    }

    fn record(&mut self, run: &Watched, entry: &Entry) {
        if let Some(event) = event(run, entry) {
            output::to_stdout(&event.to_line());
        }
    }

    fn finished(&mut self, run: &Watched) {
        output::to_stdout(&finished(run, run.started + run.history.finished.unwrap_or_default()));
    }

    fn log(&mut self, line: &str) {
        output::to_stderr(line);
    }
}

#[derive(Serialize)]
#[serde(tag = "event")]
enum Event<'a> {
    #[serde(rename = "run_started")]
    Started {
        at: String,
        run_id: &'a str,
        pipeline: &'a str,
        logical_date: String,
        data_interval_end: String,
        #[serde(skip_serializing_if = "Value::is_null")]
        params: &'a Value,
        nodes: usize,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        resumed: bool,
    },
    #[serde(rename = "node")]
    Node(NodeEvent<'a>),
    #[serde(rename = "callback")]
    Callback {
        at: String,
        run_id: &'a str,
        pipeline: &'a str,
        callback: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<&'a str>,
        notifier: &'a str,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_at: Option<String>,
    },
    #[serde(rename = "run_finished")]
    Finished {
        at: String,
        run_id: &'a str,
        pipeline: &'a str,
        state: &'static str,
        seconds: f64,
        nodes: BTreeMap<&'a str, NodeResult<'a>>,
        callbacks_due: Vec<Due<'a>>,
    },
}

#[derive(Serialize, Default)]
struct NodeEvent<'a> {
    at: String,
    run_id: &'a str,
    pipeline: &'a str,
    node: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poke: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elements: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

#[derive(Serialize)]
struct NodeResult<'a> {
    state: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pokes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Due<'a> {
    callback: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    notifier: &'a str,
}

impl Event<'_> {
    fn to_line(&self) -> String {
        // Texts, numbers and JSON values can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn date(at: Timestamp) -> String {
    at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn event<'a>(run: &'a Watched, entry: &'a Entry) -> Option<Event<'a>> {
    let node = |slot: Slot, more: NodeEvent<'a>| {
        let node = &run.history.nodes[slot as usize];
        let attempt = (node.attempts > 0).then_some(node.attempts);
        let poke = node.is_sensor.then_some(node.poke_times.len()).filter(|pokes| *pokes > 0);
        let (run_id, pipeline) = (run.info.run_id.as_str(), run.info.pipeline.as_str());
        let at = date(entry.at);
        Some(Event::Node(NodeEvent { at, run_id, pipeline, node: &node.id, state: node.state.name(), attempt, poke, ..more }))
    };
    let is_gate = |slot: Slot| run.history.nodes[slot as usize].is_gate;
    match &entry.record {
        Record::NotYet { slot, next, .. } => node(*slot, NodeEvent { next_at: Some(date(*next)), ..NodeEvent::default() }),
        Record::Retrying { slot, next, error, .. } => {
            node(*slot, NodeEvent { next_at: Some(date(*next)), error: Some(error), ..NodeEvent::default() })
        }
        Record::Unfolded { slot, width } => node(*slot, NodeEvent { elements: Some(*width), ..NodeEvent::default() }),
        Record::Succeeded { slot, .. } if is_gate(*slot) => None,
        Record::Skipped { slot, .. } | Record::UpstreamFailed { slot, .. } if is_gate(*slot) => None,
        Record::Started { slot, .. } | Record::Interrupted { slot, .. } | Record::Succeeded { slot, .. } => {
            node(*slot, NodeEvent::default())
        }
        Record::Failed { slot, error, .. } => node(*slot, NodeEvent { error: Some(error), ..NodeEvent::default() }),
        Record::Skipped { slot, why } => node(*slot, NodeEvent { reason: Some(run.history.reason(why)), ..NodeEvent::default() }),
        Record::UpstreamFailed { slot, .. } => {
            node(*slot, NodeEvent { cause: Some(run.history.root_cause(*slot)), ..NodeEvent::default() })
        }
        Record::CallbackDue { id, .. } => callback(run, entry, *id, "due", None, None),
        Record::CallbackTold { id } => callback(run, entry, *id, "told", None, None),
        Record::CallbackFailed { id, next, error } => {
            let state = if next.is_some() { "failed" } else { "given_up" };
            callback(run, entry, *id, state, Some(error), *next)
        }
        Record::Cleared { .. } | Record::RunEnded { .. } => None,
    }
}

fn callback<'a>(
    run: &'a Watched,
    entry: &Entry,
    id: u32,
    state: &'static str,
    error: Option<&'a str>,
    next: Option<Timestamp>,
) -> Option<Event<'a>> {
    let CallbackHistory { event, notifier, node, .. } = run.history.callbacks.iter().find(|callback| callback.id == id)?;
    Some(Event::Callback {
        at: date(entry.at),
        run_id: &run.info.run_id,
        pipeline: &run.info.pipeline,
        callback: event.name(),
        node: node.as_deref(),
        notifier,
        state,
        error,
        next_at: next.map(date),
    })
}

pub(super) fn finished(run: &Watched, at: Timestamp) -> String {
    let history = &run.history;
    let ended = history.finished.map_or(at, |after| run.started + after);
    let bodies = history.nodes.iter().filter(|node| !node.is_gate);
    let event = Event::Finished {
        at: date(ended),
        run_id: &run.info.run_id,
        pipeline: &run.info.pipeline,
        state: history.state.name(),
        seconds: ended.since(run.started).as_secs_f64(),
        nodes: bodies.map(|node| (node.id.as_str(), result(node))).collect(),
        callbacks_due: history
            .untold()
            .map(|due| Due { callback: due.event.name(), node: due.node.as_deref(), notifier: &due.notifier })
            .collect(),
    };
    event.to_line()
}

fn result(node: &NodeHistory) -> NodeResult<'_> {
    let took = node.finished.zip(node.started).map(|(finished, started)| finished.saturating_sub(started).as_secs_f64());
    NodeResult {
        state: node.state.name(),
        attempts: node.attempts,
        pokes: node.is_sensor.then_some(node.poke_times.len()),
        seconds: took,
        error: node.error.as_deref().filter(|_| node.state != NodeState::Success),
    }
}
