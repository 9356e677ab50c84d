//! A sensor's state between two pokes: what it remembers, and traces of where its last poke looked.
//!
//! To the core and the journal it is one text. Its first line is what the sensor remembers, as JSON, and may be empty; each further line
//! is a trace, which only whoever left it understands.
//!
//! # Why traces
//!
//! A restart is neither a change nor a tick, so it pokes nobody: the time of the next poke is in the journal, and it stands. Each poke on
//! `file://` leaves traces of where it looked, each with a number for what was there. The process that resumes the run looks there again and
//! watches on. If something else is there now, that is a change which nobody could watch, and the sensor is poked at once. So there are never
//! more pokes than changes and ticks together, however often a process is restarted. The core knows none of this: a trace is part of an
//! opaque text, and the wake-up an ordinary one. (`storage/trace.rs`, `tests/durable/arrivals.rs`)

use super::super::ids::{RunIx, Slot};
use super::super::state::Run;
use super::super::states::NodeState;
use super::{Engine, Wake, Watching};
use crate::author::notify::BoxFuture;
use std::sync::Arc;

/// Looks again where a trace leads, and wakes the sensor if something else is there.
pub(crate) type LookAgain = fn(String, Arc<Watching>) -> BoxFuture<()>;

/// What a sensor remembers and its traces, as one text.
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

/// What a sensor remembers.
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
    /// From now on traces are looked at by that. Only the first call counts.
    pub(crate) fn look_again_by(&self, look_again: LookAgain) {
        let _ = self.0.look_again.set(look_again);
    }

    /// Has all looked at again that the sensors of a resumed run wait for.
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

/// Sensors between two pokes that have left a trace, each with its last start.
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
