//! Timers: what is due when. An entry may be stale by then, so whoever handles it checks.
//!
//! A sensor that waits is an entry here, and neither a task nor a thread: a million of them may wait.

use super::super::ids::{RunIx, Slot};
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
    /// The end of a sensor's wait that found no permit.
    Deadline(Slot),
    /// A node's SLA.
    NodeSla(Slot),
    /// A rung of the run's ladder.
    RunSla(u32),
    /// Another try to deliver a notification.
    Callback(u32),
    /// The end of the run.
    RunTimeout,
}

/// Sorted by time, and at one time by run and node, so that the order never depends on how timers were made.
#[derive(Debug)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, RunIx, Due)>>,
    /// How many may be stale: limits, as most attempts end before theirs, and those of runs that were forgotten.
    doubtful: usize,
    /// How many are too many.
    most_doubtful: usize,
}

/// How many stale timers never are too many.
const FEW: usize = 1024;

impl Default for Timers {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), doubtful: 0, most_doubtful: FEW }
    }
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, run: RunIx, due: Due) {
        if at < Timestamp::NEVER {
            self.doubtful += usize::from(matches!(due, Due::Limit(..)));
            self.heap.push(Reverse((at, run, due)));
        }
    }

    /// A run is no longer there. It has left timers of so many nodes at most, or fewer.
    pub(crate) fn forgot(&mut self, nodes: usize) {
        self.doubtful += nodes;
    }

    /// Whether so many may be stale that it is worth looking.
    #[inline]
    pub(crate) fn has_many_doubtful(&self) -> bool {
        self.doubtful > self.most_doubtful
    }

    /// Drops those that mean nothing any more: a million sensors that wait have no limits.
    pub(crate) fn sweep(&mut self, is_live: impl Fn(RunIx, Due) -> bool) {
        let mut limits = 0;
        self.heap.retain(|Reverse((_, run, due))| {
            let stays = is_live(*run, *due);
            limits += usize::from(stays && matches!(due, Due::Limit(..)));
            stays
        });
        self.doubtful = limits;
        // Keeps sweeping amortized O(1) per timer.
        self.most_doubtful = FEW.max(2 * limits).max(self.heap.len() / 4);
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// When the next is due; [`Timestamp::NEVER`] where there is none.
    #[inline]
    pub(crate) fn next(&self) -> Timestamp {
        self.heap.peek().map_or(Timestamp::NEVER, |Reverse((at, ..))| *at)
    }

    /// Takes one that is due at `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(RunIx, Due)> {
        if self.next() > now {
            return None;
        }
        let Reverse((_, run, due)) = self.heap.pop()?;
        self.doubtful = self.doubtful.saturating_sub(usize::from(matches!(due, Due::Limit(..))));
        Some((run, due))
    }
}
