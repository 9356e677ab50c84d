//! Locks: which group of which run holds each, and who waits for one.
//!
//! Who holds a lock follows from the runs' states: a group that has begun and not ended. So nothing of it is journaled, and a process
//! that takes up runs knows it before it starts anything. Beyond that a group has it only while a body of it runs on that was cut off. Those that wait stand in the order in which they asked; after a restart in
//! that of their runs.

use super::super::ids::{RunIx, Slot};
use crate::plan::HoldingIx;
use std::collections::{HashMap, VecDeque};

/// A group of a run.
pub(crate) type Holder = (RunIx, HoldingIx);

#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: HashMap<Holder, Box<[&'static str]>>,
    waiting: HashMap<Holder, Waiting>,
    /// Of each lock who has it, and behind that who waits for it: a group whose turn it is at all its locks may have them.
    queues: HashMap<&'static str, VecDeque<Holder>>,
    /// Groups whose turn it was when this was last looked at, as they asked.
    first: VecDeque<Holder>,
    asked: u64,
}

#[derive(Debug)]
struct Waiting {
    /// How many had asked before.
    turn: u64,
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
        for lock in locks {
            self.queues.entry(lock).or_default().push_front(holder);
        }
        self.held.insert(holder, locks.into());
    }

    /// A node of a group is ready, and the group has to have its locks first. A node asks once.
    pub(crate) fn ask(&mut self, holder: Holder, locks: &[&'static str], node: Slot) {
        if let Some(waiting) = self.waiting.get_mut(&holder) {
            return waiting.nodes.push(node);
        }
        for lock in locks {
            self.queues.entry(lock).or_default().push_back(holder);
        }
        self.waiting.insert(holder, Waiting { turn: self.asked, locks: locks.into(), nodes: vec![node] });
        self.asked += 1;
        if self.is_first(holder) {
            self.first.push_back(holder);
        }
    }

    pub(crate) fn release(&mut self, holder: Holder) {
        let Some(locks) = self.held.remove(&holder) else { return };
        for lock in &locks {
            let Some(queue) = self.queues.get_mut(lock) else { continue };
            // Those that hold it stand in front.
            if let Some(at) = queue.iter().position(|other| *other == holder) {
                queue.remove(at);
            }
            if queue.is_empty() {
                self.queues.remove(lock);
            }
        }
        let next = locks.iter().filter_map(|lock| self.queues.get(lock)?.front().copied());
        let mut next: Vec<(u64, Holder)> = next.filter_map(|next| Some((self.waiting.get(&next)?.turn, next))).collect();
        next.sort_unstable();
        next.dedup();
        next.retain(|(_, next)| self.is_first(*next));
        self.first.extend(next.into_iter().map(|(_, next)| next));
    }

    /// Whether a group that waits is the next to have each of its locks, and they are free.
    fn is_first(&self, holder: Holder) -> bool {
        let is_first = |lock| self.queues.get(lock).and_then(VecDeque::front) == Some(&holder);
        self.waiting.get(&holder).is_some_and(|waiting| waiting.locks.iter().all(is_first))
    }

    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        !self.first.is_empty()
    }

    /// Gives the first group that waits all its locks, if they are free and nobody before it waits for one of them.
    pub(crate) fn grant(&mut self) -> Option<(Holder, Vec<Slot>)> {
        while let Some(holder) = self.first.pop_front() {
            // A run that was taken up since may hold one of them.
            if !self.is_first(holder) {
                continue;
            }
            let Some(Waiting { locks, nodes, .. }) = self.waiting.remove(&holder) else { continue };
            self.held.insert(holder, locks);
            return Some((holder, nodes));
        }
        None
    }

    /// How many groups hold locks.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }
}
