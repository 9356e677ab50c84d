//! A run as the test sees it, and the rules that each of its records must follow.

use super::super::super::ids::Slot;
use super::super::super::log::Entry;
use super::super::super::state::Run;
use super::super::model::{Key, Model};
use crate::engine::NodeState;
use crate::time::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// A run as the test sees it.
pub(super) struct TrackedRun {
    pub(super) model: Model,
    /// All records so far.
    pub(super) entries: Vec<Entry>,
    /// The state that they fold to.
    pub(super) shadow: Run,
    pub(super) cancelled: bool,
    /// It has ended, and was not retried since.
    pub(super) is_over: bool,
    /// It is being resumed: first come the records of what the crash cut off, then everything that follows.
    pub(super) resuming: bool,
    pub(super) retries: HashMap<Key, u32>,
    pub(super) interrupted: HashMap<Key, u32>,
    pub(super) not_yets: HashMap<Key, u32>,
    /// Sensors whose deadline passed while no process had the run: each may be poked once more.
    pub(super) grace: BTreeSet<Key>,
    /// Sensors whose poke is due and got no permit.
    pub(super) without_permit: BTreeSet<Key>,
    /// Nodes that were started since they were last cleared.
    pub(super) begun: BTreeSet<Key>,
    /// How often each list was cleared: each time its output differs.
    pub(super) cleared: HashMap<Key, usize>,
}

impl TrackedRun {
    /// All interruptions by the crash are recorded.
    pub(super) fn finish_resuming(&mut self) {
        self.resuming = false;
        if !self.is_over {
            self.model.settle();
        }
    }

    /// A record that follows from others must be what the model derives. The model derives everything that one event causes at
    /// once, so an element that the new list no longer has may have been decided before.
    pub(super) fn check_derived(&self, key: &Key, state: NodeState, name: &str) {
        let of_model = self.model.state(key);
        assert!(of_model == Some(state) || !self.model.has(key), "{name} {:?} is {state} and not {of_model:?}", key.1);
    }

    pub(super) fn fail(&mut self, key: &Key) {
        if self.resuming {
            self.model.end_unsettled(key, NodeState::Failed);
        } else {
            self.model.end(key, NodeState::Failed);
        }
    }

    /// A body or a poke starts: not after the sensor's deadline, if it waited for a permit until then.
    pub(super) fn check_start(&mut self, slot: Slot, key: &Key, at: Timestamp) {
        let node = self.shadow.node(slot);
        let deadline = self.shadow.plan().policy(node.ix()).sensor.as_ref().and_then(|sensor| node.deadline(sensor));
        let is_late = deadline.is_some_and(|deadline| at > deadline) && node.awaits_next();
        let (may, waited) = (self.grace.remove(key), self.without_permit.remove(key));
        assert!(!is_late || may || !waited, "a poke that found no permit was started after its sensor's deadline");
        self.begun.insert(key.clone());
    }
}
