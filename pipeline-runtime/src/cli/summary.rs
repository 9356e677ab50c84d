//! What is said of a run at its end.

use super::output;
use super::progress::{Watched, brief, root_cause};
use crate::engine::{NodeState, RunState};
use crate::host::{CALLBACKS_LIMIT, Ended};
use crate::observe::{NodeHistory, RunHistory};
use std::fmt::Write;

/// A run of more nodes is told by counts and failures alone.
const MAX_DRAWN: usize = 200;
/// So many nodes that did not run are named.
const MAX_NAMED: usize = 8;

/// The timeline, each failure with where its node was wired, and what was left undone.
pub(super) fn print(run: &Watched, ended: Ended) {
    output::to_stdout(&format!("\n{}", drawn(&run.history)));
    let problems = [failures(run), undone(run, ended)];
    for problem in problems.iter().filter(|problem| !problem.is_empty()) {
        output::to_stderr(&format!("\n{}", problem.trim_end()));
    }
}

fn drawn(history: &RunHistory) -> String {
    let bodies = history.nodes.iter().filter(|node| !node.is_gate).count();
    if bodies <= MAX_DRAWN {
        return history.timeline();
    }
    let mut counts: Vec<_> = history.counts().into_iter().collect();
    counts.sort_unstable();
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let after = history.finished.map(|finished| format!(" after {}", brief(finished))).unwrap_or_default();
    format!("run: {}{after}, {bodies} nodes: {}", history.state, counts.join(", "))
}

/// As rustc tells errors.
pub(super) fn failures(run: &Watched) -> String {
    let history = &run.history;
    let of = |state: NodeState| (0..).zip(&history.nodes).filter(move |(_, node)| node.state == state && !node.is_gate);
    let mut text = String::new();
    for (slot, node) in of(NodeState::Failed) {
        let at = history.plan().node(history.node_ix(slot)).at;
        let after: Vec<&str> = of(NodeState::UpstreamFailed)
            .filter(|(after, _)| root_cause(run, *after) == node.id)
            .map(|(_, after)| after.id.as_str())
            .collect();
        // Writing to a text cannot fail.
        let _ = writeln!(text, "error: node `{}` failed{}: {}", node.id, tries(node), error(node));
        let _ = writeln!(text, "  --> {at}: wired here");
        if !after.is_empty() {
            let more = after.len().saturating_sub(MAX_NAMED);
            let named = after[..after.len() - more].join("`, `");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(text, "  = note: so `{named}`{more} did not run");
        }
    }
    if history.state == RunState::Failed && text.is_empty() {
        // No node failed, so the run's own timeout did.
        let limit = history.plan().run.timeout.map(brief).unwrap_or_default();
        let _ = writeln!(text, "error: the run took longer than its timeout of {limit}");
        text.push_str("  = help: raise the pipeline's `timeout`, or see above what took so long\n");
    }
    text
}

fn tries(node: &NodeHistory) -> String {
    if node.attempts > 1 { format!(" after {} attempts", node.attempts) } else { String::new() }
}

fn error(node: &NodeHistory) -> &str {
    node.error.as_deref().unwrap_or("without an error")
}

fn undone(run: &Watched, ended: Ended) -> String {
    let mut text = String::new();
    let history = &run.history;
    if let Ended::Interrupted(signal) = ended
        && !history.state.is_end()
    {
        // Writing to a text cannot fail.
        let _ =
            writeln!(text, "error: interrupted by {signal}: run {} is unfinished, its attempts were cut off", run.info.run_id);
        text.push_str("  = note: it cannot be resumed, since nothing is kept of a run beyond its process\n");
        text.push_str("  = help: run it again from the start\n");
    } else if history.state == RunState::Failed {
        text.push_str("help: mend the cause and run it again; all its nodes run then, since nothing of this run is kept\n");
    }
    let due: Vec<_> = history.callbacks.iter().filter(|callback| callback.told.is_none() && !callback.given_up).collect();
    if !due.is_empty() {
        let waited = if matches!(ended, Ended::All) { format!(" within {}", brief(CALLBACKS_LIMIT)) } else { String::new() };
        let _ = writeln!(text, "warning: callbacks that could not be told{waited}, and now are lost:");
        for callback in due {
            let about = callback.node.as_deref().unwrap_or("the run");
            let (event, notifier, tries) = (callback.event.name(), &callback.notifier, callback.tries);
            let plural = if tries == 1 { "" } else { "s" };
            let _ = writeln!(
                text,
                "  {event} of {about} to {notifier} ({tries} failed tr{})",
                if plural.is_empty() { "y" } else { "ies" }
            );
        }
    }
    text
}
