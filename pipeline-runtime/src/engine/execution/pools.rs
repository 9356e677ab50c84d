//! Pools: how many attempts may be under way at once, over all runs.
//!
//! A closed pool grants nothing. A process that drains closes all pools.

use super::super::ids::{RunIx, Slot};
use crate::plan::{DEFAULT_POOL, PoolSpec};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A pool's index in its core.
pub(crate) type CorePool = u32;

/// A slot of a pool: the right to have one attempt under way. It is moved, never copied, and returned by [`Pools::release`].
#[derive(Debug)]
#[must_use = "a permit that is not given back is lost to its pool"]
pub(crate) struct Permit(CorePool);

#[cfg(test)]
impl Permit {
    pub(crate) fn pool(&self) -> CorePool {
        self.0
    }
}

#[derive(Debug)]
pub(crate) struct Pools {
    all: Vec<Pool>,
    parallelism: u32,
    /// Pools that may have a permit for a waiting node.
    due: Vec<CorePool>,
    /// No permits are granted any more.
    closed: bool,
    /// No permits are granted yet: there is no worker to run a body.
    held: bool,
    /// Permits are granted only after everything that happens at one instant is known, so that the pool can choose by priority.
    deferred: bool,
}

#[derive(Debug)]
struct Pool {
    name: &'static str,
    slots: u32,
    used: u32,
    waiting: Queue,
}

/// The number of nodes for which a queue retains memory while none waits.
const SPARE: usize = 1024;

/// Waiting nodes by priority, not arrival. Those that arrive in order are appended; the others go to a heap.
#[derive(Debug, Default)]
struct Queue {
    in_order: VecDeque<Priority>,
    others: BinaryHeap<Priority>,
}

impl Queue {
    #[inline]
    fn push(&mut self, waiting: Priority) {
        match self.in_order.back() {
            Some(last) if waiting > *last => self.others.push(waiting),
            _ => self.in_order.push_back(waiting),
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<Priority> {
        match (self.in_order.front(), self.others.peek()) {
            (first, Some(other)) if first.is_none_or(|first| other > first) => self.others.pop(),
            (Some(_), _) => self.in_order.pop_front(),
            (None, _) => {
                self.shrink();
                None
            }
        }
    }

    /// Frees the memory of a long queue: there may have been a million nodes.
    fn shrink(&mut self) {
        if self.in_order.capacity() > SPARE {
            self.in_order = VecDeque::new();
        }
        if self.others.capacity() > SPARE {
            self.others = BinaryHeap::new();
        }
    }

    fn is_empty(&self) -> bool {
        self.in_order.is_empty() && self.others.is_empty()
    }
}

/// Highest priority first, then the oldest run, then wiring order. A mapping's elements are adjacent in that order, so one
/// element is finished before the next begins.
type Priority = (i32, Reverse<RunIx>, Reverse<Slot>);

impl Pools {
    pub(crate) fn new(parallelism: u32) -> Self {
        Self { all: Vec::new(), parallelism: parallelism.max(1), due: Vec::new(), closed: false, held: false, deferred: false }
    }

    /// From now on no permit is granted.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// With `deferred`, no permit is taken directly: all nodes that ask at this instant are queued first.
    pub(crate) fn defer(&mut self, deferred: bool) {
        self.deferred = deferred;
    }

    /// Grants nothing until bodies can run. Otherwise a time limit would start before its body could.
    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    /// Allows permits: bodies can run.
    pub(crate) fn open_all(&mut self) {
        if std::mem::take(&mut self.held) {
            self.due = (0..).take(self.all.len()).collect();
        }
    }

    /// True if anything may be started.
    #[inline]
    pub(crate) fn is_granting(&self) -> bool {
        !self.closed && !self.held
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Returns the pool of that name. The first plan to name it determines its number of slots.
    pub(crate) fn find(&mut self, spec: PoolSpec) -> CorePool {
        let known = self.all.iter().position(|pool| pool.name == spec.name);
        let ix = known.unwrap_or_else(|| {
            // A pipeline's pool has at least one slot, which its plan checks. A pool without slots holds back nodes that another
            // process runs.
            let slots = if spec.name == DEFAULT_POOL { self.parallelism } else { spec.slots };
            self.all.push(Pool { name: spec.name, slots, used: 0, waiting: Queue::default() });
            self.all.len() - 1
        });
        u32::try_from(ix).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(crate) fn wait(&mut self, pool: CorePool, priority: i32, run: RunIx, slot: Slot) {
        self.all[pool as usize].waiting.push((priority, Reverse(run), Reverse(slot)));
        self.note(pool);
    }

    /// Returns a permit for a node, unless the pool is full or another node waits.
    #[inline]
    pub(crate) fn take(&mut self, pool: CorePool) -> Option<Permit> {
        let of = &mut self.all[pool as usize];
        let free = of.used < of.slots && of.waiting.is_empty() && !(self.closed | self.held | self.deferred);
        of.used += u32::from(free);
        free.then_some(Permit(pool))
    }

    #[inline]
    fn note(&mut self, pool: CorePool) {
        if self.due.last() != Some(&pool) {
            self.due.push(pool);
        }
    }

    /// Returns a permit to its pool.
    #[inline]
    pub(crate) fn release(&mut self, Permit(pool): Permit) {
        let of = &mut self.all[pool as usize];
        debug_assert!(of.used > 0, "a permit was given back that nobody had");
        of.used -= 1;
        if !of.waiting.is_empty() {
            self.note(pool);
        }
    }

    /// Returns how many slots of each pool are in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.all.iter().map(|pool| (pool.name, pool.used))
    }

    /// Returns a permit for a waiting node.
    #[inline]
    pub(crate) fn grant(&mut self) -> Option<(Permit, RunIx, Slot)> {
        if self.closed || self.held {
            return None;
        }
        while let Some(&ix) = self.due.last() {
            let pool = &mut self.all[ix as usize];
            if pool.used < pool.slots
                && let Some((_, Reverse(run), Reverse(slot))) = pool.waiting.pop()
            {
                pool.used += 1;
                return Some((Permit(ix), run, slot));
            }
            self.due.pop();
        }
        None
    }
}
