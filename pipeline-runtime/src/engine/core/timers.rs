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
#[derive(Debug)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, RunIx, Due)>>,
    /// How many of them are limits. Most attempts end before theirs, which then stands here until it would have been over.
    limits: usize,
    /// How many limits are too many.
    most_limits: usize,
}

/// How many limits never are too many.
const FEW: usize = 1024;

impl Default for Timers {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), limits: 0, most_limits: FEW }
    }
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, run: RunIx, due: Due) {
        if at < Timestamp::NEVER {
            self.limits += usize::from(matches!(due, Due::Limit(..)));
            self.heap.push(Reverse((at, run, due)));
        }
    }

    /// Whether so many limits were set that it is worth looking for those of attempts that have ended.
    #[inline]
    pub(crate) fn has_many_limits(&self) -> bool {
        self.limits > self.most_limits
    }

    /// Drops the limits of attempts that are not under way any more: a million sensors that wait have none.
    pub(crate) fn sweep(&mut self, is_under_way: impl Fn(RunIx, Slot, u32) -> bool) {
        let mut limits = 0;
        self.heap.retain(|Reverse((_, run, due))| match due {
            Due::Limit(slot, start) => {
                let stays = is_under_way(*run, *slot, *start);
                limits += usize::from(stays);
                stays
            }
            _ => true,
        });
        self.limits = limits;
        // So that looking at all of them comes to a few looks for each limit that was set.
        self.most_limits = FEW.max(2 * limits).max(self.heap.len() / 4);
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
        self.limits -= usize::from(matches!(due, Due::Limit(..)));
        Some((run, due))
    }
}
