use super::words::{self, Words};
use super::{View, Watched};
use crate::cli::{output, summary};
use crate::engine::Entry;
use chrono::SecondsFormat;

/// One line an event, on stdout.
#[derive(Debug)]
pub(super) struct Plain;

impl View for Plain {
    fn opened(&mut self, run: &Watched) {
        output::to_stdout(&opening(run));
    }

    fn record(&mut self, run: &Watched, entry: &Entry) {
        if let Some(words) = words::of(run, entry) {
            output::to_stdout(&line(run, entry, &words));
        }
    }

    fn finished(&mut self, run: &Watched) {
        output::to_stdout(&closing(run));
        let failures = summary::failures(&run.history);
        if !failures.is_empty() {
            output::to_stderr(failures.trim_end());
        }
    }

    fn log(&mut self, line: &str) {
        output::to_stderr(line);
    }
}

/// What the run is about.
pub(super) fn opening(run: &Watched) -> String {
    let interval = &run.info.interval;
    let about = if interval.start == interval.end {
        format!("logical date {}", interval.start.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    } else {
        format!("data interval {interval}")
    };
    let params = if run.info.params.is_null() { String::new() } else { format!(", params {}", run.info.params) };
    format!("run {} of {}: {about}{params}", run.info.run_id, run.info.pipeline)
}

/// How it ended.
pub(super) fn closing(run: &Watched) -> String {
    let after = run.history.finished.map(|after| format!(" after {}", words::brief(after))).unwrap_or_default();
    format!("run {} of {}: {}{after}", run.info.run_id, run.info.pipeline, run.history.state)
}

pub(super) fn line(run: &Watched, entry: &Entry, words: &Words) -> String {
    let at = words::offset(entry.at.since(run.started));
    let text = format!("{at:>7}  {}  {}  {}", words.about, words.state, words.remark);
    text.trim_end().to_owned()
}
