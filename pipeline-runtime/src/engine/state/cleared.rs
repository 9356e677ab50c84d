//! What a retry undoes: nodes are reset, and the inputs that they wait for are counted again.

use super::super::ids::Slot;
use super::super::states::{NodeState, RunState};
use super::changes::{Changes, Conclusion};
use super::layout::Position;
use super::node::{Cut, Node};
use super::run::Run;
use super::trigger_rule::Verdict;
use crate::plan::{EdgeRule, What};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Run {
    /// Resets nodes.
    pub(super) fn cleared(&mut self, slots: &[Slot], at: Timestamp, changes: &mut impl Changes) {
        let plan = Arc::clone(self.plan());
        self.ending = None;
        if self.state.is_end() {
            // The run starts another life, with limits of its own.
            self.reopened = Some(at);
            self.callbacks.reopened();
        }
        let cleared: BTreeSet<Slot> = slots.iter().copied().collect();
        for &slot in slots {
            self.reset(slot, &cleared, at, changes);
        }
        for &slot in slots {
            let position = self.layout.position(slot);
            self.wait_for_element(slot, position, changes);
            for &(from, rule) in plan.inbound(self.ix(slot)) {
                let from = self.layout.resolve(&plan, from, position);
                if self.node(from).state.is_end() {
                    self.follow(from, slot, rule, changes);
                }
            }
            if self.node(slot).waits == 0 && self.node(slot).state == NodeState::None {
                self.scheduled(slot, changes);
            }
            // Nodes that took it before may no longer want it.
            if self.unwanting > 0 {
                changes.released(slot);
            }
        }
        self.state = RunState::Running;
    }

    /// A node inside an element waits for that element.
    fn wait_for_element(&mut self, slot: Slot, position: Position, changes: &mut impl Changes) {
        if position.expansion == 0 {
            return;
        }
        let element = self.element(position);
        if element == slot {
            return changes.freed(position.expansion);
        }
        match self.node(element).state {
            NodeState::Success => self.holds(slot, changes),
            NodeState::UpstreamFailed => self.conclude(slot, Conclusion::UpstreamFailed(element), changes),
            NodeState::Skipped => self.conclude(slot, Conclusion::Skipped(element), changes),
            _ => {}
        }
    }

    /// Removes a node from the counts of failures and of nodes that no longer want their inputs.
    pub(super) fn uncount(&mut self, slot: Slot) {
        let node = self.node(slot);
        let failed = node.state == NodeState::Failed || node.cut == Cut::RunEnded;
        self.failures -= usize::from(failed && self.counts(self.ix(slot)));
        self.unwanting -= usize::from(self.is_unwanting(slot));
    }

    fn reset(&mut self, slot: Slot, cleared: &BTreeSet<Slot>, at: Timestamp, changes: &mut impl Changes) {
        let plan = Arc::clone(self.plan());
        let ix = self.ix(slot);
        let position = self.layout.position(slot);
        self.uncount(slot);
        if self.node(slot).state.is_end() {
            self.open += 1;
            if self.has_locks() {
                self.hold_reopened(slot);
            }
            self.element_reopened(position);
            self.hold_back(slot, cleared);
        }
        // A mapping whose list is retained keeps its elements, and only joins them again.
        let mut joins = false;
        if let (Some(list), Some(expansion)) = (self.list_of(slot), self.layout.of_each(slot)) {
            let is_stale = &mut self.mappings[expansion as usize].is_stale;
            *is_stale |= cleared.contains(&list);
            joins = !*is_stale;
        }
        // The count continues, so that answers to earlier starts are still recognized.
        let starts = self.node(slot).starts;
        let waits = plan.node(ix).needs + u32::from(position.expansion > 0);
        let state = if joins { NodeState::Running } else { NodeState::None };
        let fresh = Node { state, starts, ..Node::new(&plan, ix, waits) };
        let was = std::mem::replace(self.node_mut(slot), fresh);
        if let What::Element { .. } = self.what(slot) {
            // An element's value comes from its list.
            self.node_mut(slot).value = was.value;
        } else if let Some(value) = was.value.into_option() {
            changes.dropped(value);
        }
        if plan.policy(ix).sla.is_some() {
            self.node_mut(slot).more().rare().sla_from = at.into();
        }
        if position.expansion > 0 {
            let mapping = &mut self.mappings[position.expansion as usize];
            mapping.next = mapping.next.min(position.element);
            self.note_activity(position);
        }
        let Self { callbacks, layout, spec, .. } = self;
        callbacks.cleared(|| layout.id(&spec.plan, slot));
    }

    /// The open targets of the node have one more input to wait for again.
    fn hold_back(&mut self, slot: Slot, cleared: &BTreeSet<Slot>) {
        let held = |(target, rule): (Slot, EdgeRule)| {
            matches!(self.verdict(slot, rule), Verdict::Holds | Verdict::Loses).then_some(target)
        };
        let mut waiting: Vec<Slot> = self.targets(slot).into_iter().filter_map(held).collect();
        if matches!(self.what(slot), What::Element { .. }) && self.node(slot).state == NodeState::Success {
            let stride = self.layout.expansion(self.layout.position(slot).expansion).stride;
            waiting.extend(slot + 1..slot + stride);
        }
        for target in waiting {
            // A cleared target counts all its inputs again anyway. A target that did not wait for this node was added to the plan
            // since: a record of an older plan cannot clear it.
            if matches!(self.node(target).state, NodeState::None | NodeState::Scheduled) && !cleared.contains(&target) {
                let node = self.node_mut(target);
                node.waits += 1;
                node.state = NodeState::None;
            }
        }
    }

    fn element_reopened(&mut self, position: Position) {
        if position.expansion == 0 {
            return;
        }
        let mapping = &mut self.mappings[position.expansion as usize];
        let open = &mut mapping.open[position.element as usize];
        *open += 1;
        if *open == 1 {
            mapping.done -= 1;
        }
    }
}
