//! What happened, in words.

use super::Watched;
use crate::engine::{Entry, Record, Slot};
use crate::observe::NodeHistory;
use humantime::format_duration;
use std::time::Duration;

/// A longer error is cut short while the run goes on; the summary has it whole.
const MAX_ERROR: usize = 200;

/// An event of a run in three parts.
pub(super) struct Words {
    /// The node it is about, or `run`.
    pub(super) about: String,
    /// The state that it is in now, or the callback's name.
    pub(super) state: &'static str,
    pub(super) remark: String,
    /// Whether it is still worth knowing once the next event has come.
    pub(super) lasts: bool,
}

/// An event for people. Polls that start, and what the engine decides about nodes without a body, are not told.
pub(super) fn of(run: &Watched, entry: &Entry) -> Option<Words> {
    let at = entry.at.since(run.started);
    let words = |slot: Slot, remark: String, lasts: bool| {
        let node = &run.history.nodes[slot as usize];
        Words { about: format!("{}{}", run.prefix, node.id), state: node.state.name(), remark, lasts }
    };
    let node = |slot: Slot| &run.history.nodes[slot as usize];
    let body = |slot: Slot| Some(node(slot)).filter(|node| !node.is_gate);
    Some(match &entry.record {
        Record::Started { slot, .. } => {
            let node = body(*slot).filter(|node| !node.is_sensor)?;
            words(*slot, attempts(run, *slot, node).unwrap_or_default(), false)
        }
        Record::NotYet { slot, next, .. } => {
            let poke = node(*slot).poke_times.len();
            words(*slot, format!("poke {poke}, next in {}", brief(next.since(entry.at))), false)
        }
        Record::Retrying { slot, next, error, .. } => {
            let attempts = attempts(run, *slot, node(*slot)).unwrap_or_else(|| "the attempt".into());
            words(*slot, format!("{attempts} failed: {}; next in {}", short(error), brief(next.since(entry.at))), true)
        }
        Record::Interrupted { slot, .. } => words(*slot, "the attempt was cut off by the end of its process".into(), true),
        Record::Unfolded { slot, width } => words(*slot, format!("{width} element{}", plural(*width as usize)), false),
        Record::Succeeded { slot, output: _ } => {
            let node = body(*slot)?;
            let pokes = node.poke_times.len();
            let pokes = if node.is_sensor { format!(", {pokes} poke{}", plural(pokes)) } else { String::new() };
            words(*slot, format!("after {}{pokes}", brief(at.saturating_sub(node.started.unwrap_or(at)))), true)
        }
        Record::Failed { slot, error, .. } => {
            let tried = node(*slot).attempts;
            let attempts = if tried > 1 { format!("after {tried} attempts: ") } else { String::new() };
            words(*slot, format!("{attempts}{}", short(error)), true)
        }
        Record::Skipped { slot, why } => {
            body(*slot)?;
            words(*slot, run.history.reason(why), true)
        }
        Record::UpstreamFailed { slot, .. } => {
            body(*slot)?;
            words(*slot, format!("`{}` failed", run.history.root_cause(*slot)), true)
        }
        Record::Cleared { slots } => {
            let remark = format!("{} node{} will be tried again", slots.len(), plural(slots.len()));
            Words { about: format!("{}run", run.prefix), state: run.history.state.name(), remark, lasts: true }
        }
        Record::CallbackTold { id } => callback(run, *id, "told")?,
        Record::CallbackFailed { id, next, error } => {
            // The engine logs it, too, which is what lasts.
            let next = next.map_or_else(|| "given up".to_owned(), |next| format!("next try in {}", brief(next.since(entry.at))));
            let words = callback(run, *id, "could not tell")?;
            Words { remark: format!("{}: {}; {next}", words.remark, short(error)), ..words }
        }
        Record::CallbackDue { .. } | Record::RunEnded { .. } => return None,
    })
}

fn callback(run: &Watched, id: u32, what: &str) -> Option<Words> {
    let callback = run.history.callbacks.iter().find(|callback| callback.id == id)?;
    let about = format!("{}{}", run.prefix, callback.node.as_deref().unwrap_or("run"));
    Some(Words { about, state: callback.event.name(), remark: format!("{what} {}", callback.notifier), lasts: false })
}

/// `attempt 2 of 3`, or nothing where there is but one.
pub(super) fn attempts(run: &Watched, slot: Slot, node: &NodeHistory) -> Option<String> {
    let all = run.history.attempts_allowed(slot);
    (all > 1 && node.attempts > 0).then(|| format!("attempt {} of {all}", node.attempts))
}

/// The time since the run's start: `12.3s`, `7m 30s`.
pub(super) fn offset(at: Duration) -> String {
    if at < Duration::from_mins(1) { format!("{:.1}s", at.as_secs_f64()) } else { whole(at) }
}

/// A duration as people say it: `120ms`, `4.5s`, `45s`, `7m 30s`.
pub(in crate::cli) fn brief(duration: Duration) -> String {
    match duration {
        d if d < Duration::from_secs(1) => format!("{}ms", d.as_millis()),
        d if d < Duration::from_mins(1) => format!("{:.1}", d.as_secs_f64()).trim_end_matches(".0").to_owned() + "s",
        d => whole(d),
    }
}

fn whole(duration: Duration) -> String {
    format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

pub(super) fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn short(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    if line.chars().count() <= MAX_ERROR { line.to_owned() } else { line.chars().take(MAX_ERROR).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_short_as_they_are_clear() {
        let said = |millis| brief(Duration::from_millis(millis));
        assert_eq!([said(0), said(120), said(4500), said(45_000), said(59_960)], ["0ms", "120ms", "4.5s", "45s", "60s"]);
        assert_eq!(said(450_300), "7m 30s");
    }
}
