//! Locks: which group of which run holds each, and who waits for one.
//!
//! Who holds a lock follows from the runs' states: a group that has begun and not ended. So nothing of it is journaled, and a process
//! that takes up runs knows it before it starts anything. Those that wait stand in the order in which they asked; after a restart in
//! that of their runs.

use super::super::ids::{RunIx, Slot};
use crate::plan::HoldingIx;
use std::collections::{HashMap, HashSet};

/// A group of a run.
pub(crate) type Holder = (RunIx, HoldingIx);

#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: HashMap<Holder, Box<[&'static str]>>,
    waiting: Vec<Waiting>,
    /// Something was asked for, or given back.
    is_due: bool,
}

#[derive(Debug)]
struct Waiting {
    holder: Holder,
    locks: Box<[&'static str]>,
    /// The nodes that are ready.
    nodes: Vec<Slot>,
}

impl Locks {
    pub(crate) fn holds(&self, holder: Holder) -> bool {
        self.held.contains_key(&holder)
    }

    /// A group holds its locks already, as the state of its run says.
    pub(crate) fn take_up(&mut self, holder: Holder, locks: &[&'static str]) {
        self.held.insert(holder, locks.into());
    }

    /// A node of a group is ready, and the group has to have its locks first.
    pub(crate) fn ask(&mut self, holder: Holder, locks: &[&'static str], node: Slot) {
        self.is_due = true;
        match self.waiting.iter_mut().find(|waiting| waiting.holder == holder) {
            Some(waiting) if waiting.nodes.contains(&node) => {}
            Some(waiting) => waiting.nodes.push(node),
            None => self.waiting.push(Waiting { holder, locks: locks.into(), nodes: vec![node] }),
        }
    }

    pub(crate) fn release(&mut self, holder: Holder) {
        self.is_due |= self.held.remove(&holder).is_some();
    }

    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    /// Gives the first group that waits all its locks, if they are free and nobody before it waits for one of them.
    pub(crate) fn grant(&mut self) -> Option<(Holder, Vec<Slot>)> {
        let mut taken: HashSet<&str> = self.held.values().flatten().copied().collect();
        let free = self.waiting.iter().position(|waiting| {
            let is_free = waiting.locks.iter().all(|lock| !taken.contains(lock));
            taken.extend(waiting.locks.iter().copied());
            is_free
        });
        let Some(first) = free else {
            self.is_due = false;
            return None;
        };
        let Waiting { holder, locks, nodes } = self.waiting.remove(first);
        self.held.insert(holder, locks);
        Some((holder, nodes))
    }

    /// How many groups hold locks.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }
}
