//! A sensor's state between two pokes: its memory, and traces of what its last poke read.
//!
//! The core and the journal treat the state as one text. Its first line is the sensor's memory, as JSON, and may be empty. Each
//! further line is a trace, which only the code that left it understands.
//!
//! # Why traces
//!
//! A restart is neither a change nor a tick, so it causes no poke: the time of the next poke is in the journal, and remains
//! valid. Each poke on `file://` leaves traces of what it read, each with a number for what was there. The process that resumes
//! the run reads the same places again and continues to watch them. If something else is there now, it is a change that nobody
//! could watch, and the sensor is poked at once. So there are never more pokes than changes and ticks together, however often a
//! process is restarted. The core knows none of this: a trace is part of an opaque text, and the wake-up an ordinary one.
//! (`storage/trace.rs`, `tests/durable/arrivals.rs`)

use super::super::ids::{RunIx, Slot};
use super::super::state::Run;
use super::super::states::NodeState;
use super::{Engine, Wake, Watching};
use crate::author::notify::BoxFuture;
use std::sync::Arc;

/// Reads again what a trace leads to, and wakes the sensor if something else is there.
pub(crate) type LookAgain = fn(String, Arc<Watching>) -> BoxFuture<()>;

/// Joins a sensor's memory and its traces into one text.
pub(super) fn joined(memory: Option<&Arc<str>>, traces: &[String]) -> Option<Arc<str>> {
    if traces.is_empty() {
        return memory.cloned();
    }
    let mut all = memory.map(ToString::to_string).unwrap_or_default();
    for trace in traces {
        all.push('\n');
        all.push_str(trace);
    }
    Some(all.into())
}

/// Returns the sensor's memory.
pub(super) fn memory(left: &Arc<str>) -> Option<Arc<str>> {
    match left.split_once('\n') {
        None => Some(Arc::clone(left)),
        Some(("", _)) => None,
        Some((memory, _)) => Some(memory.into()),
    }
}

fn traces(left: &str) -> impl Iterator<Item = &str> {
    left.split('\n').skip(1)
}

impl Engine {
    /// Sets the function that reads traces again. Only the first call counts.
    pub(crate) fn look_again_by(&self, look_again: LookAgain) {
        let _ = self.0.look_again.set(look_again);
    }

    /// Reads again everything that the sensors of a resumed run wait for.
    pub(super) fn look_again(&self, ix: RunIx) {
        let Some(look_again) = self.0.look_again.get().copied() else { return };
        let waiting = self.look(ix, |run| waiting(ix, run)).unwrap_or_default();
        if waiting.is_empty() {
            return;
        }
        let engine = self.clone();
        drop(self.spawn_task(async move {
            for (poke, left) in waiting {
                let (run, slot, start) = poke;
                let watching = Arc::new(Watching::new(Wake::new(engine.downgrade(), run, slot, start)));
                for trace in traces(&left) {
                    look_again(trace.to_owned(), Arc::clone(&watching)).await;
                }
                engine.watch_again(poke, &watching);
            }
        }));
    }
}

/// Returns the sensors between two pokes that have left a trace, each with its last start.
fn waiting(ix: RunIx, run: &Run) -> Vec<((RunIx, Slot, u32), Arc<str>)> {
    let left = |slot: Slot| {
        let node = run.node(slot);
        let waits = node.awaits_next() && node.state() != NodeState::UpForRetry;
        let left = node.memory().filter(|left| waits && left.contains('\n'))?;
        Some(((ix, slot, node.starts()), Arc::clone(left)))
    };
    run.slots().filter_map(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_taken_apart_again() {
        let (remembered, left) = (Arc::<str>::from("{\"a\":1}"), ["one".to_owned(), "two".to_owned()]);
        for of in [None, Some(&remembered)] {
            let all = joined(of, &left).unwrap();
            assert_eq!(memory(&all).as_ref(), of);
            assert_eq!(traces(&all).collect::<Vec<_>>(), left);
        }
        assert_eq!(joined(None, &[]), None);
        let alone = joined(Some(&remembered), &[]).unwrap();
        assert_eq!((memory(&alone), traces(&alone).count()), (Some(remembered), 0));
    }
}
