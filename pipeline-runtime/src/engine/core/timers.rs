//! Timers: what is due when. An entry may be stale by then; whoever handles it looks.

use super::super::record::Slot;
use super::run::RunIx;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// An attempt's time limit: the node and which of its starts.
    Limit(Slot, u32),
    /// The next attempt or poke, unless the node says by then that its next is later.
    Next(Slot),
    /// A poke for a change that came too soon after the last such poke.
    Change(Slot),
    /// A node's SLA.
    NodeSla(Slot),
    /// A rung of the run's ladder.
    RunSla(u32),
    /// Another try to tell somebody.
    Callback(u32),
    /// The end of the run.
    RunTimeout,
}

/// Sorted by time, and at one time by run and node, so that the order never depends on how timers were made.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Timestamp, RunIx, Due)>>);

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, run: RunIx, due: Due) {
        if at < Timestamp::NEVER {
            self.0.push(Reverse((at, run, due)));
        }
    }

    /// When the next is due; [`Timestamp::NEVER`] where there is none.
    #[inline]
    pub(crate) fn next(&self) -> Timestamp {
        self.0.peek().map_or(Timestamp::NEVER, |Reverse((at, ..))| *at)
    }

    /// Takes one that is due at `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(RunIx, Due)> {
        if self.next() > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, run, due))| (run, due))
    }
}
