//! A run drawn over time, in text.

use super::history::{CallbackHistory, NodeHistory, RunHistory, Work};
use crate::engine::{NodeState, Slot};
use humantime::format_duration;
use std::fmt::Write;
use std::time::Duration;

/// What a terminal has, and what is left of it for the bars.
const COLUMNS: usize = 80;
const NARROWEST: usize = 16;
const WIDEST: usize = 48;
/// A longer id shifts its own line alone.
const LONGEST_NAME: usize = 40;

const LEGEND: &str = "(█ work  · poke  ░ wait  ▒ retry due  × failure)";

impl RunHistory {
    /// One line a node: what it did when. `█` is a body that runs, `·` a poke that is too short to draw, `░` a sensor that waits,
    /// `▒` a retry that is due, `×` an attempt that failed. Bars leave room for the rest within 80 columns, where there is. What a node
    /// that did not succeed gives as its reason stands where its bar would be, or below it.
    pub(crate) fn timeline(&self) -> String {
        self.timeline_until(Duration::ZERO)
    }

    /// The same of a run that has not ended by `now`, if it has not.
    pub(crate) fn timeline_until(&self, now: Duration) -> String {
        let last = |node: &NodeHistory| node.finished.or(node.spans.last().map(|span| span.until.unwrap_or(span.from)));
        let end = self.finished.or_else(|| self.nodes.iter().filter_map(last).max()).unwrap_or_default();
        let end = if self.finished.is_some() { end } else { end.max(now) };
        let shown: Vec<(Slot, &NodeHistory)> = (0..).zip(&self.nodes).filter(|(_, node)| !node.is_gate).collect();
        let widest = |width: fn(&NodeHistory) -> usize| shown.iter().map(|(_, node)| width(node)).max().unwrap_or(0);
        let name = widest(|node| node.id.chars().count()).clamp(4, LONGEST_NAME);
        let state = widest(|node| node.state.name().len()).max(5);
        let remark = widest(|node| remarks(node).chars().count());
        let width = COLUMNS.saturating_sub(name + state + remark + 6).clamp(NARROWEST, WIDEST);
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:name$}  {:<state$}  0{:>width$}", "node", "state", tell(end), width = width - 1);
        for (slot, node) in shown {
            let why = self.why(slot, node).unwrap_or_default();
            if node.spans.is_empty() {
                let line = format!("{:name$}  {:<state$}  {why}", node.id, node.state);
                let _ = writeln!(text, "{}", line.trim_end());
                continue;
            }
            let line = format!("{:name$}  {:<state$}  {}  {}", node.id, node.state, bar(node, end, width), remarks(node));
            let _ = writeln!(text, "{}", line.trim_end());
            if !why.is_empty() {
                let _ = writeln!(text, "{:name$}  {:<state$}  {why}", "", "");
            }
        }
        let told: Vec<String> = self.callbacks.iter().map(CallbackHistory::line).collect();
        if !told.is_empty() {
            let _ = writeln!(text, "callbacks: {}", told.join(",\n           "));
        }
        let _ = write!(text, "run: {} after {}   {LEGEND}", self.state, tell(end));
        text
    }

    /// Why a node did not succeed, or what its last error was.
    fn why(&self, slot: Slot, node: &NodeHistory) -> Option<String> {
        match (node.state, &node.skipped, &node.error) {
            (NodeState::UpstreamFailed, ..) => Some(format!("`{}` failed", self.root_cause(slot))),
            (NodeState::Skipped, Some(why), _) => Some(self.reason(why)),
            (_, _, error) => Some(error.as_deref()?.lines().next().unwrap_or_default().to_owned()),
        }
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

fn bar(node: &NodeHistory, end: Duration, width: usize) -> String {
    // Cells are few, so that the share of one is exact enough.
    let cell = |at: Duration| match end.as_nanos() {
        0 => 0,
        end => usize::try_from(at.as_nanos() * width as u128 / end).unwrap_or(width).min(width - 1),
    };
    let mut cells = vec![' '; width];
    // Work is drawn after waiting, as it may be shorter than a cell and must not be lost; so are failures, after work. But a sensor
    // waits even where it pokes in every cell, and has to look so.
    for (what, sign) in [(Work::Waiting, '░'), (Work::Retrying, '▒'), (Work::Working, '█')] {
        for span in node.spans.iter().filter(|span| span.what == what) {
            let (from, until) = (cell(span.from), cell(span.until.unwrap_or(end)));
            let until = if what == Work::Working { until } else { until.max(from + 1) - 1 };
            let sign = if what == Work::Working && node.is_sensor && from == until { '·' } else { sign };
            // In a journal that is damaged something may end before it began.
            cells[from.min(until)..=until].fill(sign);
        }
    }
    for failure in node.troubles.iter().filter(|trouble| trouble.error.is_some()) {
        cells[cell(failure.at)] = '×';
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
    remarks.join(", ")
}
