use super::words::{self, brief, plural};
use super::{View, Watched, plain};
use crate::cli::summary;
use crate::engine::{Entry, NodeState, RunIx};
use crate::observe::NodeHistory;
use crate::time::Clock;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// So many nodes have a line of their own; the rest are counted.
const MAX_LINES: usize = 16;
/// A longer id is cut short.
const MAX_ID: usize = 40;

/// A line for each node that runs or waits, redrawn in place below what has happened for good.
pub(super) struct Live {
    clock: Clock,
    lines: MultiProgress,
    bars: Vec<ProgressBar>,
    style: ProgressStyle,
}

impl Live {
    pub(super) fn new(clock: Clock) -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { clock, lines, bars: Vec::new(), style }
    }

    fn print(&self, line: &str) {
        // Whoever closed the terminal does not want to read it.
        let _ = self.lines.println(line);
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
            bar.set_message(line.clone());
        }
    }
}

impl View for Live {
    fn opened(&mut self, run: &Watched) {
        self.print(&plain::opening(run));
    }

    fn record(&mut self, run: &Watched, entry: &Entry) {
        if let Some(words) = words::of(run, entry).filter(|words| words.lasts) {
            self.print(&plain::line(run, entry, &words));
        }
    }

    fn finished(&mut self, run: &Watched) {
        self.print(&plain::closing(run));
        for line in summary::failures(&run.history).lines() {
            self.print(line);
        }
    }

    fn log(&mut self, line: &str) {
        self.print(line);
    }

    fn draw(&mut self, runs: &BTreeMap<RunIx, Watched>) {
        let unended = runs.values().filter(|run| !run.history.state.is_end());
        let groups: Vec<_> = unended.map(|run| (run, shown(run))).collect();
        let all = groups.iter().flat_map(|(_, nodes)| nodes);
        let width = all.clone().take(MAX_LINES).map(|(_, node)| node.id.chars().count().min(MAX_ID)).max().unwrap_or(0);
        let more = all.count().saturating_sub(MAX_LINES);
        let (mut lines, mut left) = (Vec::new(), MAX_LINES);
        for (run, nodes) in groups {
            lines.push(self.summary(run));
            let now = self.clock.now().since(run.started);
            for (slot, node) in nodes.iter().take(left) {
                let id: String = node.id.chars().take(MAX_ID).collect();
                lines.push(format!("  {id:width$}  {:17}  {}", node.state.name(), doing(run, *slot, node, now)));
            }
            left = left.saturating_sub(nodes.len());
        }
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

impl Live {
    fn summary(&self, run: &Watched) -> String {
        let counts = run.history.counts();
        let of = |states: &[NodeState]| states.iter().filter_map(|state| counts.get(state)).sum::<usize>();
        let all: usize = counts.values().sum();
        let ended: usize = counts.iter().filter(|(state, _)| state.is_end()).map(|(_, count)| count).sum();
        let now = self.clock.now().since(run.started);
        let failed = of(&[NodeState::Failed]);
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        let name = run.prefix.trim_end_matches('/');
        format!(
            "{:>7}  {name}{}{} running, {} waiting, {ended} of {all} node{} ended{failed}",
            words::offset(now),
            if name.is_empty() { "" } else { ": " },
            of(&[NodeState::Running]),
            of(&[NodeState::UpForReschedule, NodeState::UpForRetry]),
            plural(all),
        )
    }
}

/// The nodes that run or wait, by slot.
fn shown(run: &Watched) -> Vec<(u32, &NodeHistory)> {
    let is_busy = |state| matches!(state, NodeState::Running | NodeState::UpForReschedule | NodeState::UpForRetry);
    (0..).zip(&run.history.nodes).filter(|(_, node)| !node.is_gate && is_busy(node.state)).collect()
}

/// What a node does or waits for: `next in 17s, 5m 10s left, poke 4 28s ago, attempt 1 of 3`. A narrow terminal cuts lines short, so
/// what one waits for comes first.
fn doing(run: &Watched, slot: u32, node: &NodeHistory, now: Duration) -> String {
    let mut parts = Vec::new();
    if let Some(next) = node.next {
        parts.push(format!("next in {}", seconds(next.saturating_sub(now))));
    }
    let sensor = run.history.plan().policy(run.history.node_ix(slot)).sensor.as_ref();
    if let (Some(sensor), Some(from)) = (sensor, node.budget_from) {
        parts.push(format!("{} left", seconds((from + sensor.timeout).saturating_sub(now))));
    }
    let ago = |then: Duration| seconds(now.saturating_sub(then));
    match (node.poke_times.last(), node.spans.last()) {
        (Some(last), _) => parts.push(format!("poke {} {} ago", node.poke_times.len(), ago(*last))),
        (None, Some(span)) if node.next.is_none() => parts.push(format!("for {}", ago(span.from))),
        _ => {}
    }
    if let Some(attempts) = words::attempts(run, slot, node) {
        // A retry is news; that there has been none is not.
        let at = if node.attempts > 1 { 0 } else { parts.len() };
        parts.insert(at, attempts);
    }
    parts.join(", ")
}

/// Whole seconds: what changes ten times a second cannot be read.
fn seconds(duration: Duration) -> String {
    brief(Duration::from_secs(duration.as_secs())).replace("0ms", "0s")
}
