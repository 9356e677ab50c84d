//! Draws a run over time, in text.

use super::history::{Activity, CallbackHistory, NodeHistory, RunHistory, Span};
use crate::engine::{NodeState, Slot};
use humantime::format_duration;
use std::fmt::Write;
use std::time::Duration;

/// The width of a terminal, and of the bars in it.
const COLUMNS: usize = 80;
const NARROWEST: usize = 16;
const WIDEST: usize = 48;
/// A longer id only shifts its own line.
const LONGEST_NAME: usize = 40;

const LEGEND: &str = "(█ work  · poke  ░ wait  ▒ retry due  × failure)";

impl RunHistory {
    /// Draws one line per node. `█` is a running body, `·` a poke that is too short to draw, `░` a waiting sensor, `▒` a due
    /// retry, `×` a failed attempt. Bars leave room for the rest within 80 columns, if possible. The reason of a node that did
    /// not succeed replaces its bar, or follows below it.
    pub(crate) fn timeline(&self) -> String {
        self.timeline_until(Duration::ZERO)
    }

    /// The same for a run that may not have ended by `now`.
    pub(crate) fn timeline_until(&self, now: Duration) -> String {
        let lines: Vec<Line<'_>> = self.listed().into_iter().map(|slot| Line::of(self, slot)).collect();
        let last = |line: &Line<'_>| line.node.finished_at().or(line.spans.last().map(|span| span.until.unwrap_or(span.from)));
        let end = self.finished.or_else(|| lines.iter().filter_map(last).max()).unwrap_or_default();
        let end = if self.finished.is_some() { end } else { end.max(now) };
        let widest = |width: fn(&Line<'_>) -> usize| lines.iter().map(width).max().unwrap_or(0);
        let name = widest(|line| line.id.chars().count()).clamp(4, LONGEST_NAME);
        let state = widest(|line| line.node.state().name().len()).max(5);
        let remark = widest(|line| line.remarks.chars().count());
        let width = COLUMNS.saturating_sub(name + state + remark + 6).clamp(NARROWEST, WIDEST);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:name$}  {:<state$}  0{:>width$}", "node", "state", format_rounded(end), width = width - 1);
        for Line { slot, node, id, spans, remarks, is_sensor } in &lines {
            let why = self.why(*slot, node).unwrap_or_default();
            if spans.is_empty() {
                let line = format!("{id:name$}  {:<state$}  {why}", node.state());
                let _ = writeln!(text, "{}", line.trim_end());
                continue;
            }
            let bar = bar(node, spans, *is_sensor, end, width);
            let line = format!("{id:name$}  {:<state$}  {bar}  {remarks}", node.state());
            let _ = writeln!(text, "{}", line.trim_end());
            if !why.is_empty() {
                let _ = writeln!(text, "{:name$}  {:<state$}  {why}", "", "");
            }
        }
        let dropped = self.callbacks.dropped();
        let before = (dropped > 0).then(|| format!("{dropped} before these"));
        let callbacks: Vec<String> = before.into_iter().chain(self.callbacks.iter().map(CallbackHistory::line)).collect();
        if !callbacks.is_empty() {
            let _ = writeln!(text, "callbacks: {}", callbacks.join(",\n           "));
        }
        let _ = write!(text, "run: {} after {}   {LEGEND}", self.state, format_rounded(end));
        text
    }

    /// Returns why a node did not succeed, or its last error.
    fn why(&self, slot: Slot, node: &NodeHistory) -> Option<String> {
        // A second line would look like another node's.
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        match (node.state(), node.why_skipped(), node.error()) {
            (NodeState::UpstreamFailed, ..) => Some(format!("`{}` failed", self.id(self.root_cause(slot)))),
            (NodeState::Skipped, Some(why), _) => Some(first(&self.reason(slot, why))),
            (_, _, error) => Some(first(error?)),
        }
    }
}

impl CallbackHistory {
    fn line(&self) -> String {
        let about = self.node.as_deref().unwrap_or("the run");
        let pending = match self.delivered_at {
            Some(_) => "",
            None if self.given_up => " (given up)",
            None => " (not delivered yet)",
        };
        format!("{} of {about} at {}{pending}", self.event.name(), format_rounded(self.at))
    }
}

/// Formats a duration for people, without insignificant parts.
pub(super) fn format_rounded(duration: Duration) -> String {
    let coarse = match duration {
        d if d >= Duration::from_mins(1) => Duration::from_secs(d.as_secs()),
        d => Duration::from_millis(u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
    };
    format_duration(coarse).to_string()
}

/// The parts of one line.
struct Line<'a> {
    slot: Slot,
    node: &'a NodeHistory,
    id: String,
    spans: Vec<Span>,
    remarks: String,
    is_sensor: bool,
}

impl<'a> Line<'a> {
    fn of(history: &'a RunHistory, slot: Slot) -> Self {
        let node = history.node(slot);
        let (id, is_sensor) = (history.id(slot), history.is_sensor(slot));
        Self { slot, node, id, spans: node.spans(), remarks: remarks(node), is_sensor }
    }
}

fn bar(node: &NodeHistory, spans: &[Span], is_sensor: bool, end: Duration, width: usize) -> String {
    // There are few cells, so whole cells are exact enough.
    let cell = |at: Duration| match end.as_nanos() {
        0 => 0,
        end => usize::try_from(at.as_nanos() * width as u128 / end).unwrap_or(width).min(width - 1),
    };
    let mut cells = vec![' '; width];
    // Merged starts are drawn as they most likely happened: starts at equal distances, and waits between them.
    for Span { activity, from, until } in spans {
        let (Activity::Merged(starts), until) = (activity, until.unwrap_or(end)) else { continue };
        let (between, start) = if is_sensor { ('░', '·') } else { ('▒', '█') };
        cells[cell(*from)..=cell(until)].fill(between);
        let apart = until.saturating_sub(*from) / (*starts).max(1);
        let starts = (0..*starts).step_by(starts.div_ceil(u32::try_from(width).unwrap_or(1)) as usize);
        starts.for_each(|nth| cells[cell(*from + apart * nth)] = start);
    }
    // Work is drawn after waits, since it may be shorter than a cell and must not be lost; failures after work, for the same
    // reason. But a sensor that pokes in every cell is still waiting, and must look so.
    for (activity, sign) in [(Activity::Waiting, '░'), (Activity::Retrying, '▒'), (Activity::Working, '█')] {
        for span in spans.iter().filter(|span| span.activity == activity) {
            let (from, until) = (cell(span.from), cell(span.until.unwrap_or(end)));
            let until = if activity == Activity::Working { until } else { until.max(from + 1) - 1 };
            let sign = if activity == Activity::Working && is_sensor && from == until { '·' } else { sign };
            // In a damaged journal something may end before it began.
            cells[from.min(until)..=until].fill(sign);
        }
    }
    for failure in node.failed_attempts().iter().filter(|failed_attempt| failed_attempt.error.is_some()) {
        cells[cell(failure.at)] = '×';
    }
    cells.into_iter().collect()
}

fn remarks(node: &NodeHistory) -> String {
    let mut remarks = Vec::new();
    if let (Some(started), Some(finished)) = (node.began(), node.finished_at()) {
        remarks.push(format!("{} → {}", format_rounded(started), format_rounded(finished)));
    }
    if node.attempts() > 1 {
        remarks.push(format!("{} attempts", node.attempts()));
    }
    if node.pokes() > 0 {
        let plural = if node.pokes() == 1 { "" } else { "s" };
        remarks.push(format!("{} poke{plural}", node.pokes()));
    }
    remarks.join(", ")
}
