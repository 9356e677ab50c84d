//! Which teardowns are due where a run is to end before its nodes have.

use super::super::ids::Slot;
use super::super::states::{NodeState, RunState};
use super::run::Run;
use std::collections::HashSet;

impl Run {
    /// In which state the run is to end, once its teardowns have run.
    pub(crate) fn ending(&self) -> Option<RunState> {
        self.ending
    }

    /// Whether a node is the teardown of another.
    pub(crate) fn is_teardown(&self, slot: Slot) -> bool {
        !self.plan().teardowns.is_empty() && self.plan().teardown(self.ix(slot)).is_some()
    }

    /// The teardowns that have not ended and whose setup succeeded, and the mappings in whose elements they lie: what goes on where all
    /// else ends.
    pub(crate) fn due_teardowns(&self) -> HashSet<Slot> {
        let plan = self.plan();
        let mut due = HashSet::new();
        if plan.teardowns.is_empty() {
            return due;
        }
        for slot in self.slots().filter(|slot| !self.node(*slot).state().is_end()) {
            let Some(teardown) = plan.teardown(self.ix(slot)) else { continue };
            if self.node(self.seen_from(slot, teardown.setup)).state() != NodeState::Success {
                continue;
            }
            due.insert(slot);
            let mut expansion = self.layout().position(slot).expansion;
            while let Some(each) = self.layout().expansion(expansion).each {
                due.insert(each);
                expansion = self.layout().position(each).expansion;
            }
        }
        due
    }
}
