//! Locks: which group of which run holds each, and which groups wait for one.
//!
//! Who holds a lock follows from the runs' states: a group that has begun and not ended. So nothing about locks is recorded, and
//! a process that resumes runs knows the holders before it starts anything. After its end a group holds its locks only while one
//! of its bodies that was cut off still runs. Waiting groups are served in the order in which they asked; after a restart, in the
//! order of their runs.

use super::super::ids::{RunIx, Slot};
use crate::plan::HoldingIx;
use std::collections::{HashMap, VecDeque};

/// A group of a run.
pub(crate) type Holder = (RunIx, HoldingIx);

#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: HashMap<Holder, Box<[&'static str]>>,
    waiting: HashMap<Holder, WaitingGroup>,
    /// For each lock its holder, and behind it the groups that wait. A group that is first in the queues of all its locks gets
    /// them.
    queues: HashMap<&'static str, VecDeque<Holder>>,
    /// Groups that were first at all their locks when this was last checked, in the order in which they asked.
    first: VecDeque<Holder>,
    asked: u64,
}

#[derive(Debug)]
struct WaitingGroup {
    /// The number of groups that had asked before.
    turn: u64,
    locks: Box<[&'static str]>,
    /// The group's ready nodes.
    nodes: Vec<Slot>,
}

impl Locks {
    pub(crate) fn holds(&self, holder: Holder) -> bool {
        self.held.contains_key(&holder)
    }

    /// Notes that a group already holds its locks, as its run's state shows.
    pub(crate) fn take_up(&mut self, holder: Holder, locks: &[&'static str]) {
        for lock in locks {
            self.queues.entry(lock).or_default().push_front(holder);
        }
        self.held.insert(holder, locks.into());
    }

    /// A node of the group is ready, and the group must first get its locks. A node asks once.
    pub(crate) fn ask(&mut self, holder: Holder, locks: &[&'static str], node: Slot) {
        if let Some(waiting) = self.waiting.get_mut(&holder) {
            return waiting.nodes.push(node);
        }
        for lock in locks {
            self.queues.entry(lock).or_default().push_back(holder);
        }
        self.waiting.insert(holder, WaitingGroup { turn: self.asked, locks: locks.into(), nodes: vec![node] });
        self.asked += 1;
        if self.is_first(holder) {
            self.first.push_back(holder);
        }
    }

    pub(crate) fn release(&mut self, holder: Holder) {
        let Some(locks) = self.held.remove(&holder) else { return };
        for lock in &locks {
            let Some(queue) = self.queues.get_mut(lock) else { continue };
            // Holders are at the front.
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

    /// True if a waiting group is first in the queue of each of its locks.
    fn is_first(&self, holder: Holder) -> bool {
        let is_first = |lock| self.queues.get(lock).and_then(VecDeque::front) == Some(&holder);
        self.waiting.get(&holder).is_some_and(|waiting| waiting.locks.iter().all(is_first))
    }

    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        !self.first.is_empty()
    }

    /// Grants all its locks to the first waiting group whose turn it is at each of them.
    pub(crate) fn grant(&mut self) -> Option<(Holder, Vec<Slot>)> {
        while let Some(holder) = self.first.pop_front() {
            // A run that was resumed since may hold one of them.
            if !self.is_first(holder) {
                continue;
            }
            let Some(WaitingGroup { locks, nodes, .. }) = self.waiting.remove(&holder) else { continue };
            self.held.insert(holder, locks);
            return Some((holder, nodes));
        }
        None
    }

    /// Returns how many groups hold locks.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }
}
