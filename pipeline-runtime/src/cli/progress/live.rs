//! The live view: lines that are redrawn in place, on a terminal.

use super::event_text;
use super::{ShownRun, View, plain};
use crate::cli::durations::{brief, offset, plural};
use crate::cli::summary;
use crate::engine::{NodeState, RunIx, Slot};
use crate::observe::{Loss, RunEvent, RunHistory, one_line};
use crate::time::Clock;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// The most nodes with a line of their own; the rest are counted.
const MAX_LINES: usize = 16;
/// A longer id is truncated.
const MAX_ID: usize = 40;

/// Shows a line for each node that runs or waits, redrawn in place below the lasting lines.
pub(super) struct Live {
    clock: Clock,
    /// True if the end of a run is printed as it happens.
    forgets: bool,
    lines: MultiProgress,
    bars: Vec<ProgressBar>,
    style: ProgressStyle,
}

impl Live {
    pub(super) fn new(clock: Clock, forgets: bool) -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { clock, forgets, lines, bars: Vec::new(), style }
    }

    fn print(&self, line: &str) {
        // If the terminal was closed, nobody wants to read it.
        let _ = self.lines.println(one_line(line));
    }

    /// Shows exactly these lines.
    fn set(&mut self, lines: &[String]) {
        while self.bars.len() > lines.len() {
            if let Some(bar) = self.bars.pop() {
                self.lines.remove(&bar);
            }
        }
        while self.bars.len() < lines.len() {
            let bar = self.lines.add(ProgressBar::no_length());
            bar.set_style(self.style.clone());
            self.bars.push(bar);
        }
        for (bar, line) in self.bars.iter().zip(lines) {
            bar.set_message(one_line(line).into_owned());
        }
    }
}

impl View for Live {
    fn opened(&mut self, run: &ShownRun) {
        self.print(&plain::opening(&run.run));
    }

    fn event(&mut self, run: &ShownRun, event: &RunEvent) {
        let text = event_text::describe(run, &run.run.history(), event);
        if let Some(text) = text.filter(|text| text.is_lasting) {
            self.print(&plain::line(run, event, &text));
        }
    }

    fn ended(&mut self, run: &ShownRun) {
        if !self.forgets {
            return;
        }
        self.print(&plain::closing(&run.run));
        let failures = summary::failures(&run.run.history());
        for line in failures.lines() {
            self.print(line);
        }
    }

    fn lost(&mut self, lost: Loss) {
        for line in event_text::describe_lost(lost) {
            self.print(&line);
        }
    }

    fn log(&mut self, line: &str) {
        self.print(line);
    }

    fn draw(&mut self, runs: &BTreeMap<RunIx, ShownRun>) {
        let (mut lines, mut more, mut left) = (Vec::new(), 0, MAX_LINES);
        for run in runs.values() {
            // Drawn from the current state, whichever events were shown before.
            let history = run.run.history();
            if history.state.is_end() {
                continue;
            }
            let now = self.clock.now().since(run.run.started);
            let (shown, count) = history.busy(left);
            lines.push(LiveLine::Run(summary(run, &history, now)));
            lines.extend(shown.iter().map(|slot| LiveLine::node(&history, *slot, now)));
            more += count - shown.len();
            left -= shown.len();
        }
        let width = lines.iter().map(LiveLine::width).max().unwrap_or(0);
        let mut lines: Vec<String> = lines.into_iter().map(|line| line.padded(width)).collect();
        if more > 0 {
            lines.push(format!("  … and {more} more"));
        }
        self.set(&lines);
    }

    fn is_drawn(&self) -> bool {
        true
    }

    fn close(&mut self) {
        self.set(&[]);
        // As above: nobody reads a closed terminal.
        let _ = self.lines.clear();
    }
}

/// A line before the width of the id column is known.
enum LiveLine {
    Run(String),
    Node { id: String, state: NodeState, doing: String },
}

impl LiveLine {
    fn node(history: &RunHistory, slot: Slot, now: Duration) -> Self {
        let id = history.id(slot).chars().take(MAX_ID).collect();
        Self::Node { id, state: history.node(slot).state(), doing: doing(history, slot, now) }
    }

    fn width(&self) -> usize {
        match self {
            Self::Run(_) => 0,
            Self::Node { id, .. } => id.chars().count(),
        }
    }

    fn padded(self, width: usize) -> String {
        match self {
            Self::Run(line) => line,
            Self::Node { id, state, doing } => format!("  {id:width$}  {:17}  {doing}", state.name()),
        }
    }
}

fn summary(run: &ShownRun, history: &RunHistory, now: Duration) -> String {
    let of = |states: &[NodeState]| -> usize {
        history.counts().filter(|(state, _)| states.contains(state)).map(|(_, count)| count).sum()
    };
    let all: usize = history.counts().map(|(_, count)| count).sum();
    let ended: usize = history.counts().filter(|(state, _)| state.is_end()).map(|(_, count)| count).sum();
    let failed = of(&[NodeState::Failed]);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let name = run.prefix.trim_end_matches('/');
    format!(
        "{:>7}  {name}{}{} running, {} waiting, {ended} of {all} node{} ended{failed}",
        offset(now),
        if name.is_empty() { "" } else { ": " },
        of(&[NodeState::Running]),
        of(&[NodeState::UpForReschedule, NodeState::UpForRetry]),
        plural(all),
    )
}

/// Describes what a node does or waits for: `next in 17s, 5m 10s left, poke 4 28s ago, attempt 1 of 3`. What it waits for comes
/// first, since a narrow terminal truncates lines.
fn doing(history: &RunHistory, slot: Slot, now: Duration) -> String {
    let node = history.node(slot);
    let mut parts = Vec::new();
    if let Some(next) = node.next() {
        parts.push(format!("next in {}", seconds(next.saturating_sub(now))));
    }
    if let Some(deadline) = history.deadline(slot) {
        parts.push(format!("{} left", seconds(deadline.saturating_sub(now))));
    }
    let ago = |then: Duration| seconds(now.saturating_sub(then));
    match (node.last_start(), node.since()) {
        (Some(last), _) if node.pokes() > 0 => parts.push(format!("poke {} {} ago", node.pokes(), ago(last))),
        (_, Some(since)) if node.next().is_none() => parts.push(format!("for {}", ago(since))),
        _ => {}
    }
    if let Some(attempts) = event_text::attempts(history, slot, node.attempts()) {
        // A retry is news and comes first; a first attempt is not.
        let at = if node.attempts() > 1 { 0 } else { parts.len() };
        parts.insert(at, attempts);
    }
    parts.join(", ")
}

/// Whole seconds: a number that changes ten times a second cannot be read.
fn seconds(duration: Duration) -> String {
    brief(Duration::from_secs(duration.as_secs())).replace("0ms", "0s")
}
