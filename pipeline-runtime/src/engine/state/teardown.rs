//! Which teardowns are due when a run is to end before its nodes have ended.

use super::super::ids::Slot;
use super::super::states::{NodeState, RunState};
use super::run::Run;
use crate::author::input::Rule;
use crate::plan::EdgeRule;
use std::collections::HashSet;

impl Run {
    /// The state in which the run is to end once its teardowns have run.
    pub(crate) fn ending(&self) -> Option<RunState> {
        self.ending
    }

    /// True if a node is the teardown of another.
    pub(crate) fn is_teardown(&self, slot: Slot) -> bool {
        !self.plan().teardowns.is_empty() && self.plan().teardown(self.ix(slot)).is_some()
    }

    /// Returns the nodes that continue while all others are ended: the teardowns that have not ended and whose setup succeeded,
    /// the mappings in whose elements they lie, and the nodes that they cannot run without.
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
        self.add_what_they_take(&mut due);
        due
    }

    /// A teardown's inputs end before its setup begins. A manual retry may have reopened one since; that input must then run
    /// first.
    fn add_what_they_take(&self, due: &mut HashSet<Slot>) {
        let is_teardown = |slot: &Slot| self.is_teardown(*slot);
        let mut takers: Vec<Slot> = due.iter().copied().filter(is_teardown).collect();
        while let Some(taker) = takers.pop() {
            let position = self.layout().position(taker);
            let mut open: Vec<Slot> = Vec::new();
            for &(from, rule) in self.plan().inbound(self.ix(taker)) {
                let from = self.layout().resolve(self.plan(), from, position);
                if self.is_needed(from, rule) {
                    open.push(from);
                    if self.each(from).is_some() {
                        open.extend(self.open_elements(from));
                    }
                }
            }
            takers.extend(open.into_iter().filter(|slot| due.insert(*slot)));
        }
    }

    /// True if a node has not ended, and its target could not run if it were cut off.
    fn is_needed(&self, from: Slot, rule: EdgeRule) -> bool {
        let would_do = match rule {
            EdgeRule::Teardown | EdgeRule::Upstream(Rule::AllDone | Rule::NoneFailed) => true,
            EdgeRule::Elements(Rule::AllDone | Rule::NoneFailed) => self.expansion_of_list(from).is_some(),
            EdgeRule::Gather => self.expansion_of(from).is_some_and(|expansion| !self.is_stale(expansion)),
            _ => false,
        };
        !would_do && !self.node(from).state().is_end()
    }
}
