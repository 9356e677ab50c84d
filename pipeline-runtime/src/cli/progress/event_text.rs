//! Events in words, for people.

use super::ShownRun;
use crate::cli::durations::{brief, plural};
use crate::engine::{Record, RunState, Slot};
use crate::observe::{Loss, NodeProgress, RunEvent, RunHistory};

/// A longer error is truncated while the run is active; the summary prints all of it.
const MAX_ERROR: usize = 200;

/// An event of a run in three parts.
pub(super) struct EventText {
    /// The node that it is about, or `run`.
    pub(super) about: String,
    /// The node's state after the event, or the callback's name.
    pub(super) state: &'static str,
    pub(super) remark: String,
    /// True if it is still worth knowing after the next event.
    pub(super) is_lasting: bool,
}

/// Describes an event for people. Returns `None` for pokes that start, and for decisions about nodes without a body.
pub(super) fn describe(run: &ShownRun, history: &RunHistory, event: &RunEvent) -> Option<EventText> {
    let entry = &event.entry;
    let at = entry.at.since(run.run.started);
    let about = |slot: Slot, after: NodeProgress, remark: String, is_lasting: bool| EventText {
        about: format!("{}{}", run.prefix, history.id(slot)),
        state: after.state.name(),
        remark,
        is_lasting,
    };
    let until = |next: crate::Timestamp| brief(next.since(entry.at));
    Some(match (&entry.record, event.node) {
        (Record::Started { slot, .. }, Some(after)) => {
            if !history.is_body(*slot) || history.is_sensor(*slot) {
                return None;
            }
            about(*slot, after, attempts(history, *slot, after.attempts).unwrap_or_default(), false)
        }
        (Record::NotYet { slot, next, .. }, Some(after)) => {
            about(*slot, after, format!("poke {}, next in {}", after.pokes, until(*next)), false)
        }
        (Record::Retrying { slot, next, error, .. }, Some(after)) => {
            let attempts = attempts(history, *slot, after.attempts).unwrap_or_else(|| "the attempt".into());
            about(*slot, after, format!("{attempts} failed: {}; next in {}", short(error), until(*next)), true)
        }
        (Record::Interrupted { slot, .. }, Some(after)) => {
            about(*slot, after, "the attempt was cut off by the end of its process".into(), true)
        }
        (Record::Unfolded { slot, width, .. }, Some(after)) => {
            about(*slot, after, format!("{width} element{}", plural(*width as usize)), false)
        }
        (Record::Failed { slot, error, .. }, Some(after)) => {
            let tried = after.attempts;
            let attempts = if tried > 1 { format!("after {tried} attempts: ") } else { String::new() };
            about(*slot, after, format!("{attempts}{}", short(error)), true)
        }
        (Record::Succeeded { slot, .. } | Record::Skipped { slot, .. } | Record::UpstreamFailed { slot, .. }, _)
            if !history.is_body(*slot) =>
        {
            return None;
        }
        (Record::Succeeded { slot, output: _ }, Some(after)) => {
            let pokes = after.pokes;
            let is_sensor = history.is_sensor(*slot);
            let pokes = if is_sensor { format!(", {pokes} poke{}", plural(pokes as usize)) } else { String::new() };
            about(*slot, after, format!("after {}{pokes}", brief(at.saturating_sub(after.started.unwrap_or(at)))), true)
        }
        (Record::Skipped { slot, why }, Some(after)) => about(*slot, after, history.reason(*slot, why), true),
        (Record::UpstreamFailed { slot, .. }, Some(after)) => {
            about(*slot, after, format!("`{}` failed", history.id(after.root_cause)), true)
        }
        (Record::Cleared { slots }, _) => {
            let remark = format!("{} node{} will be tried again", slots.len(), plural(slots.len()));
            EventText { about: format!("{}run", run.prefix), state: RunState::Running.name(), remark, is_lasting: true }
        }
        (Record::Ending { state }, _) => {
            let remark = format!("it ends as {state}; teardowns run first");
            EventText { about: format!("{}run", run.prefix), state: RunState::Running.name(), remark, is_lasting: true }
        }
        (Record::CallbackTold { id }, _) => callback(run, history, *id, "notified")?,
        (Record::CallbackFailed { id, next, error }, _) => {
            // The engine logs it as well, and that line lasts.
            let next = next.map_or_else(|| "given up".to_owned(), |next| format!("next try in {}", until(next)));
            let text = callback(run, history, *id, "could not notify")?;
            EventText { remark: format!("{}: {}; {next}", text.remark, short(error)), ..text }
        }
        _ => return None,
    })
}

fn callback(run: &ShownRun, history: &RunHistory, id: u32, what: &str) -> Option<EventText> {
    let callback = history.callbacks.find(id)?;
    let about = format!("{}{}", run.prefix, callback.node.as_deref().unwrap_or("run"));
    Some(EventText { about, state: callback.event.name(), remark: format!("{what} {}", callback.notifier), is_lasting: false })
}

/// `attempt 2 of 3`; `None` if only one is allowed or none has started.
pub(super) fn attempts(history: &RunHistory, slot: Slot, attempts: u32) -> Option<String> {
    let all = history.attempts_allowed(slot);
    (all > 1 && attempts > 0).then(|| format!("attempt {attempts} of {all}"))
}

/// The lines that report what was dropped because output was too slow.
pub(super) fn describe_lost(lost: Loss) -> Vec<String> {
    let Loss { events, lines } = lost;
    let sentence = |count: u64, what: &str| {
        let (s, were) = if count == 1 { ("", "was") } else { ("s", "were") };
        (count > 0).then(|| format!("progress: {count} {what}{s} {were} not shown, as nobody read them in time"))
    };
    sentence(events, "event").into_iter().chain(sentence(lines, "log line")).collect()
}

fn short(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    if line.chars().count() <= MAX_ERROR { line.to_owned() } else { line.chars().take(MAX_ERROR).chain(['…']).collect() }
}
