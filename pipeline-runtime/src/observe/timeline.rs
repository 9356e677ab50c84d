//! A run drawn over time, in text.

use super::history::{CallbackHistory, NodeHistory, RunHistory, Work};
use humantime::format_duration;
use std::fmt::Write;
use std::time::Duration;

const WIDTH: u32 = 48;

impl RunHistory {
    /// One line a node: what it did when. `█` is a body that runs, `░` a sensor that waits, `▒` a retry that is due.
    pub(crate) fn timeline(&self) -> String {
        self.timeline_until(Duration::ZERO)
    }

    /// The same of a run that has not ended by `now`, if it has not.
    pub(crate) fn timeline_until(&self, now: Duration) -> String {
        let last = |node: &NodeHistory| node.finished.or(node.spans.last().map(|span| span.until.unwrap_or(span.from)));
        let end = self.finished.or_else(|| self.nodes.iter().filter_map(last).max()).unwrap_or_default();
        let end = if self.finished.is_some() { end } else { end.max(now) };
        let shown: Vec<&NodeHistory> = self.nodes.iter().filter(|node| !node.is_gate).collect();
        let name = shown.iter().map(|node| node.id.chars().count()).max().unwrap_or(0).clamp(4, 40);
        let state = shown.iter().map(|node| node.state.name().len()).max().unwrap_or(0).max(5);
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:name$}  {:<state$}  0{:>width$}", "node", "state", tell(end), width = WIDTH as usize - 1);
        for node in shown {
            let line = format!("{:name$}  {:<state$}  {}  {}", node.id, node.state, bar(node, end), remarks(node));
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let told: Vec<String> = self.callbacks.iter().map(CallbackHistory::line).collect();
        if !told.is_empty() {
            let _ = writeln!(text, "callbacks: {}", told.join(", "));
        }
        let _ = write!(text, "run: {} after {}   (█ working  ░ waiting  ▒ retry due)", self.state, tell(end));
        text
    }
}

impl CallbackHistory {
    fn line(&self) -> String {
        let about = self.node.as_deref().unwrap_or("the run");
        let untold = if self.told.is_some() { "" } else { " (not told yet)" };
        format!("{} of {about} at {}{untold}", self.event.name(), tell(self.at))
    }
}

/// A duration as people write it, without what is too small to matter.
pub(super) fn tell(duration: Duration) -> String {
    let coarse = match duration {
        d if d >= Duration::from_mins(1) => Duration::from_secs(d.as_secs()),
        d => Duration::from_millis(u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
    };
    format_duration(coarse).to_string()
}

fn bar(node: &NodeHistory, end: Duration) -> String {
    let column = |at: Duration| {
        let share = if end.is_zero() { 0.0 } else { at.as_secs_f64() / end.as_secs_f64() };
        (share * f64::from(WIDTH)).floor().min(f64::from(WIDTH - 1))
    };
    let mut cells = vec![' '; WIDTH as usize];
    // Work is drawn last, for a poke is shorter than a cell and must not be lost.
    for what in [Work::Waiting, Work::Retrying, Work::Working] {
        for span in node.spans.iter().filter(|span| span.what == what) {
            let (from, until) = (column(span.from), column(span.until.unwrap_or(end)));
            for (cell, at) in cells.iter_mut().zip(0u32..) {
                let at = f64::from(at);
                if at >= from && at <= until && (at < until || from >= until || what == Work::Working) {
                    *cell = match what {
                        Work::Working => '█',
                        Work::Waiting => '░',
                        Work::Retrying => '▒',
                    };
                }
            }
        }
    }
    cells.into_iter().collect()
}

fn remarks(node: &NodeHistory) -> String {
    let mut remarks = Vec::new();
    if let (Some(started), Some(finished)) = (node.started, node.finished) {
        remarks.push(format!("{} → {}", tell(started), tell(finished)));
    }
    if node.attempts > 1 {
        remarks.push(format!("{} attempts", node.attempts));
    }
    if !node.poke_times.is_empty() {
        let plural = if node.poke_times.len() == 1 { "" } else { "s" };
        remarks.push(format!("{} poke{plural}", node.poke_times.len()));
    }
    if let Some(error) = &node.error {
        remarks.push(error.lines().next().unwrap_or_default().to_owned());
    }
    remarks.join(", ")
}
