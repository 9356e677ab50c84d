//! The plain view: one line per event.

use super::event_text::{self, EventText};
use super::line_buffer::LineBuffer;
use super::{ShownRun, View};
use crate::cli::{durations, output, summary};
use crate::observe::{Loss, RunEvent, WatchedRun};
use chrono::SecondsFormat;

/// Prints one line per event on stdout.
#[derive(Debug)]
pub(super) struct Plain {
    lines: LineBuffer,
    /// True if the end of a run is printed as it happens.
    forgets: bool,
}

impl Plain {
    pub(super) fn new(forgets: bool) -> Self {
        Self { lines: LineBuffer::default(), forgets }
    }
}

impl View for Plain {
    fn opened(&mut self, run: &ShownRun) {
        self.lines.push(&opening(&run.run));
    }

    fn event(&mut self, run: &ShownRun, event: &RunEvent) {
        let text = event_text::describe(run, &run.run.history(), event);
        if let Some(text) = text {
            self.lines.push(&line(run, event, &text));
        }
    }

    fn ended(&mut self, run: &ShownRun) {
        if !self.forgets {
            return;
        }
        self.lines.push(&closing(&run.run));
        let failures = summary::failures(&run.run.history());
        if !failures.is_empty() {
            self.lines.flush();
            output::to_stderr(failures.trim_end());
        }
    }

    fn lost(&mut self, lost: Loss) {
        for line in event_text::describe_lost(lost) {
            self.lines.push(&line);
        }
    }

    fn log(&mut self, line: &str) {
        self.lines.flush();
        output::to_stderr(line);
    }

    fn flush(&mut self) {
        self.lines.flush();
    }
}

/// The line that describes a run at its start.
pub(super) fn opening(run: &WatchedRun) -> String {
    let interval = &run.info.interval;
    let about = if interval.start == interval.end {
        format!("logical date {}", interval.start.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    } else {
        format!("data interval {interval}")
    };
    let params = if run.info.params.is_null() { String::new() } else { format!(", params {}", run.info.params) };
    format!("run {} of {}: {about}{params}", run.info.run_id, run.info.pipeline)
}

/// The line that says how a run ended.
pub(super) fn closing(run: &WatchedRun) -> String {
    let history = run.history();
    let after = history.finished.map(|after| format!(" after {}", durations::brief(after))).unwrap_or_default();
    format!("run {} of {}: {}{after}", run.info.run_id, run.info.pipeline, history.state)
}

pub(super) fn line(run: &ShownRun, event: &RunEvent, text: &EventText) -> String {
    let at = durations::offset(event.entry.at.since(run.run.started));
    let text = format!("{at:>7}  {}  {}  {}", text.about, text.state, text.remark);
    text.trim_end().to_owned()
}
