//! Pools: how many attempts may be under way at once, over all runs.

use super::super::record::Slot;
use super::run::RunIx;
use crate::plan::{DEFAULT_POOL, PoolSpec};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A pool's index in its core.
pub(crate) type CorePool = u32;

#[derive(Debug)]
pub(crate) struct Pools {
    all: Vec<Pool>,
    parallelism: u32,
    /// Pools that may have a slot for somebody who waits.
    due: Vec<CorePool>,
    /// No more slots are given away.
    closed: bool,
}

#[derive(Debug)]
struct Pool {
    name: &'static str,
    slots: u32,
    used: u32,
    waiting: Queue,
}

/// For how many who wait a queue keeps memory while nobody does.
const SPARE: usize = 1024;

/// Those who wait, first come not first served: in their own order. Most come in that order, and only who is to be served before
/// one who is there already has to be sorted in.
#[derive(Debug, Default)]
struct Queue {
    in_order: VecDeque<Waiting>,
    others: BinaryHeap<Waiting>,
}

impl Queue {
    #[inline]
    fn push(&mut self, waiting: Waiting) {
        match self.in_order.back() {
            Some(last) if waiting > *last => self.others.push(waiting),
            _ => self.in_order.push_back(waiting),
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<Waiting> {
        match (self.in_order.front(), self.others.peek()) {
            (first, Some(other)) if first.is_none_or(|first| other > first) => self.others.pop(),
            (Some(_), _) => self.in_order.pop_front(),
            (None, _) => {
                self.shrink();
                None
            }
        }
    }

    /// Gives the memory back of many who waited once: they may have been a million.
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

/// Highest priority first, then the oldest run, then wiring order, in which a mapping's elements stand one after the other: so
/// an element is finished before the next is begun.
type Waiting = (i32, Reverse<RunIx>, Reverse<Slot>);

impl Pools {
    pub(crate) fn new(parallelism: u32) -> Self {
        Self { all: Vec::new(), parallelism: parallelism.max(1), due: Vec::new(), closed: false }
    }

    /// From now on nobody is given a slot any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The pool of that name. The first plan to name it says how many slots it has.
    pub(crate) fn open(&mut self, spec: PoolSpec) -> CorePool {
        let known = self.all.iter().position(|pool| pool.name == spec.name);
        let ix = known.unwrap_or_else(|| {
            let slots = if spec.name == DEFAULT_POOL { self.parallelism } else { spec.slots.max(1) };
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

    /// Takes a slot for somebody whom nobody waits before.
    #[inline]
    pub(crate) fn take(&mut self, pool: CorePool) -> bool {
        let of = &mut self.all[pool as usize];
        let free = of.used < of.slots && of.waiting.is_empty() && !self.closed;
        of.used += u32::from(free);
        free
    }

    #[inline]
    fn note(&mut self, pool: CorePool) {
        if self.due.last() != Some(&pool) {
            self.due.push(pool);
        }
    }

    #[inline]
    pub(crate) fn release(&mut self, pool: CorePool) {
        let of = &mut self.all[pool as usize];
        of.used = of.used.saturating_sub(1);
        if !of.waiting.is_empty() {
            self.note(pool);
        }
    }

    /// How many slots of each pool are taken.
    #[cfg(test)]
    pub(crate) fn used(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.all.iter().map(|pool| (pool.name, pool.used))
    }

    /// Takes a slot for somebody who waited. The taker gives it back with [`release`](Self::release), also if it no longer
    /// wants it.
    #[inline]
    pub(crate) fn grant(&mut self) -> Option<(CorePool, RunIx, Slot)> {
        if self.closed {
            return None;
        }
        while let Some(&ix) = self.due.last() {
            let pool = &mut self.all[ix as usize];
            if pool.used < pool.slots
                && let Some((_, Reverse(run), Reverse(slot))) = pool.waiting.pop()
            {
                pool.used += 1;
                return Some((ix, run, slot));
            }
            self.due.pop();
        }
        None
    }
}
