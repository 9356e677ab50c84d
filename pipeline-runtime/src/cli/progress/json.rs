//! One JSON object per event: the view of `--json`.

use super::line_buffer::LineBuffer;
use super::{ShownRun, View};
use crate::cli::output;
use crate::engine::{NodeState, Record, Slot};
use crate::observe::{CallbackHistory, Loss, RunEvent, RunHistory, WatchedRun, harmless_json};
use crate::time::{Clock, Timestamp};
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Prints one object per event on stdout. The format is documented in [`cli`](crate::cli).
#[derive(Debug)]
pub(super) struct Json {
    clock: Clock,
    lines: LineBuffer,
}

impl Json {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, lines: LineBuffer::default() }
    }
}

impl View for Json {
    fn opened(&mut self, watched: &ShownRun) {
        let run = &watched.run;
        let opening = JsonEvent::Started {
            at: date(run.started),
            run_id: &run.info.run_id,
            pipeline: &run.info.pipeline,
            logical_date: date(run.info.interval.start.into()),
            data_interval_end: date(run.info.interval.end.into()),
            params: &run.info.params,
            nodes: run.history().plan().bodies().count(),
            resumed: run.resumed,
        };
        self.lines.push(&opening.to_line());
    }

    fn event(&mut self, run: &ShownRun, event: &RunEvent) {
        let line = line(&run.run, &run.run.history(), event);
        if let Some(line) = line {
            self.lines.push(&line);
        }
    }

    fn finished(&mut self, run: &ShownRun) {
        let end = run.run.started + run.run.history().finished.unwrap_or_default();
        self.lines.push(&finished(&run.run, end));
    }

    fn lost(&mut self, lost: Loss) {
        let Loss { events, lines } = lost;
        let not_shown = JsonEvent::NotShown { at: date(self.clock.now()), events, log_lines: lines };
        self.lines.push(&not_shown.to_line());
    }

    fn log(&mut self, line: &str) {
        self.lines.flush();
        output::to_stderr(line);
    }

    fn flush(&mut self) {
        self.lines.flush();
    }
}

#[derive(Serialize)]
#[serde(tag = "event")]
enum JsonEvent<'a> {
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
        nodes: BTreeMap<String, NodeResult<'a>>,
        callbacks_due: Vec<DueCallback<'a>>,
    },
    #[serde(rename = "not_shown")]
    NotShown { at: String, events: u64, log_lines: u64 },
}

#[derive(Serialize, Default)]
struct NodeEvent<'a> {
    at: String,
    run_id: &'a str,
    pipeline: &'a str,
    node: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poke: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elements: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

#[derive(Serialize)]
struct NodeResult<'a> {
    state: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pokes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct DueCallback<'a> {
    callback: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    notifier: &'a str,
}

impl JsonEvent<'_> {
    fn to_line(&self) -> String {
        // Strings, numbers and JSON values can always be serialized.
        harmless_json(&serde_json::to_string(self).unwrap_or_default()).into_owned()
    }
}

fn date(at: Timestamp) -> String {
    at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn line(run: &WatchedRun, history: &RunHistory, event: &RunEvent) -> Option<String> {
    let entry = &event.entry;
    let node = |slot: Slot, more: NodeEvent<'_>| {
        let after = event.node?;
        let (run_id, pipeline) = (run.info.run_id.as_str(), run.info.pipeline.as_str());
        let about = NodeEvent {
            at: date(entry.at),
            run_id,
            pipeline,
            node: history.id(slot),
            state: after.state.name(),
            attempt: (after.attempts > 0).then_some(after.attempts),
            poke: (after.pokes > 0).then_some(after.pokes),
            ..more
        };
        Some(JsonEvent::Node(about).to_line())
    };
    let callback = |id: u32, state: &'static str, error: Option<&str>, next: Option<Timestamp>| {
        let CallbackHistory { event, notifier, node, .. } = history.callbacks.find(id)?;
        let about = JsonEvent::Callback {
            at: date(entry.at),
            run_id: &run.info.run_id,
            pipeline: &run.info.pipeline,
            callback: event.name(),
            node: node.as_deref(),
            notifier,
            state,
            error,
            next_at: next.map(date),
        };
        Some(about.to_line())
    };
    match &entry.record {
        Record::NotYet { slot, next, .. } => node(*slot, NodeEvent { next_at: Some(date(*next)), ..NodeEvent::default() }),
        Record::Retrying { slot, next, error, .. } => {
            node(*slot, NodeEvent { next_at: Some(date(*next)), error: Some(error), ..NodeEvent::default() })
        }
        Record::Unfolded { slot, width, .. } => node(*slot, NodeEvent { elements: Some(*width), ..NodeEvent::default() }),
        Record::Succeeded { slot, .. } | Record::Skipped { slot, .. } | Record::UpstreamFailed { slot, .. }
            if !history.is_body(*slot) =>
        {
            None
        }
        Record::Started { slot, .. } | Record::Interrupted { slot, .. } | Record::Succeeded { slot, .. } => {
            node(*slot, NodeEvent::default())
        }
        Record::Failed { slot, error, .. } => node(*slot, NodeEvent { error: Some(error), ..NodeEvent::default() }),
        Record::Skipped { slot, why } => {
            node(*slot, NodeEvent { reason: Some(history.reason(*slot, why)), ..NodeEvent::default() })
        }
        Record::UpstreamFailed { slot, .. } => {
            let cause = event.node.map(|after| history.id(after.root_cause));
            node(*slot, NodeEvent { cause, ..NodeEvent::default() })
        }
        Record::CallbackDue { id, .. } => callback(*id, "due", None, None),
        Record::CallbackTold { id } => callback(*id, "told", None, None),
        Record::CallbackFailed { id, next, error } => {
            let state = if next.is_some() { "failed" } else { "given_up" };
            callback(*id, state, Some(error), *next)
        }
        Record::Cleared { .. } | Record::Ending { .. } | Record::RunEnded { .. } => None,
    }
}

pub(super) fn finished(run: &WatchedRun, at: Timestamp) -> String {
    let history = run.history();
    let ended = history.finished.map_or(at, |after| run.started + after);
    let event = JsonEvent::Finished {
        at: date(ended),
        run_id: &run.info.run_id,
        pipeline: &run.info.pipeline,
        state: history.state.name(),
        seconds: ended.since(run.started).as_secs_f64(),
        nodes: history.listed().into_iter().map(|slot| (history.id(slot), result(&history, slot))).collect(),
        callbacks_due: history
            .callbacks
            .open()
            .map(|due| DueCallback { callback: due.event.name(), node: due.node.as_deref(), notifier: &due.notifier })
            .collect(),
    };
    event.to_line()
}

fn result(history: &RunHistory, slot: Slot) -> NodeResult<'_> {
    let node = history.node(slot);
    let took = node.finished_at().zip(node.began()).map(|(finished, started)| finished.saturating_sub(started).as_secs_f64());
    NodeResult {
        state: node.state().name(),
        attempts: node.attempts(),
        pokes: history.is_sensor(slot).then_some(node.pokes()),
        seconds: took,
        error: node.error().map(AsRef::as_ref).filter(|_| node.state() != NodeState::Success),
    }
}
