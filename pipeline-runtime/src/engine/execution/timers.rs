//! Timers: what is due when. An entry may be stale when it fires, so its handler checks the state.
//!
//! A waiting sensor is one entry here and needs neither a task nor a thread: a million of them may wait.

use super::super::ids::{RunIx, Slot};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What happens when a timer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An attempt's time limit: the node, and which of its starts.
    Limit(Slot, u32),
    /// The next attempt or poke, unless the node's next one has moved to a later time.
    Next(Slot),
    /// A poke for a change that came too soon after the last such poke.
    Change(Slot),
    /// The deadline of a sensor that waits for a permit.
    Deadline(Slot),
    /// A node's SLA.
    NodeSla(Slot),
    /// A step of the run's SLA escalation.
    RunSla(u32),
    /// Another try to deliver a notification.
    Callback(u32),
    /// The run's timeout.
    RunTimeout,
}

/// Sorted by time, then by run and node, so that the order never depends on the order in which timers were set.
#[derive(Debug)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, RunIx, Timer)>>,
    /// The number of timers that may be stale: limits, since most attempts end before theirs, and timers of forgotten runs.
    doubtful: usize,
    /// A sweep is due above this number.
    most_doubtful: usize,
}

/// This many stale timers are never too many.
const FEW: usize = 1024;

impl Default for Timers {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), doubtful: 0, most_doubtful: FEW }
    }
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, run: RunIx, due: Timer) {
        if at < Timestamp::NEVER {
            self.doubtful += usize::from(matches!(due, Timer::Limit(..)));
            self.heap.push(Reverse((at, run, due)));
        }
    }

    /// Notes that a run was forgotten. It left stale timers of at most that many nodes.
    pub(crate) fn forgot(&mut self, nodes: usize) {
        self.doubtful += nodes;
    }

    /// True if so many timers may be stale that a sweep is worth its cost.
    #[inline]
    pub(crate) fn has_many_doubtful(&self) -> bool {
        self.doubtful > self.most_doubtful
    }

    /// Drops stale timers. A million waiting sensors have no limits, and so cause no sweep.
    pub(crate) fn sweep(&mut self, is_live: impl Fn(RunIx, Timer) -> bool) {
        let mut limits = 0;
        self.heap.retain(|Reverse((_, run, due))| {
            let stays = is_live(*run, *due);
            limits += usize::from(stays && matches!(due, Timer::Limit(..)));
            stays
        });
        self.doubtful = limits;
        // Keeps sweeping amortized O(1) per timer.
        self.most_doubtful = FEW.max(2 * limits).max(self.heap.len() / 4);
    }

    /// Returns the number of timers.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Returns when the next timer is due, or [`Timestamp::NEVER`].
    #[inline]
    pub(crate) fn next(&self) -> Timestamp {
        self.heap.peek().map_or(Timestamp::NEVER, |Reverse((at, ..))| *at)
    }

    /// Removes and returns a timer that is due at `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(RunIx, Timer)> {
        if self.next() > now {
            return None;
        }
        let Reverse((_, run, due)) = self.heap.pop()?;
        self.doubtful = self.doubtful.saturating_sub(usize::from(matches!(due, Timer::Limit(..))));
        Some((run, due))
    }
}
