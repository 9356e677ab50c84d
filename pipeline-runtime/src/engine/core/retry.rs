//! Retrying what has ended, because somebody asks: nodes are cleared, and with them what followed from them.

use super::super::layout::{ExpansionIx, Position};
use super::super::record::{Record, Slot};
use super::super::state::{NodeState, RunState};
use super::desk::Desk;
use super::run::{Decision, Mapping, Node, Run};
use crate::plan::{EdgeRule, NodeIx, What};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Why a node cannot be retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RetryError {
    #[error("`{node}` has not ended: it is {state}")]
    NotEnded { node: String, state: NodeState },
    #[error("`{of}` cannot be retried while `{node}`, which depends on it, is {state}")]
    DownstreamRuns { of: String, node: String, state: NodeState },
}

impl Desk<'_> {
    /// Clears nodes that have ended, and what was decided because of them; with `downstream`, all that depends on them.
    pub(super) fn retry(&mut self, slots: &[Slot], downstream: bool) -> Result<(), RetryError> {
        let mut cleared = BTreeSet::new();
        for &slot in slots {
            let state = self.run.node(slot).state;
            if !state.is_end() {
                return Err(RetryError::NotEnded { node: self.run.id(slot), state });
            }
            self.run.add_with_dependents(slot, downstream, &mut cleared);
            let busy = cleared.iter().copied().find(|&slot| self.run.node(slot).in_flight || self.run.is_mid_attempt(slot));
            if let Some(busy) = busy {
                let state = self.run.node(busy).state;
                return Err(RetryError::DownstreamRuns { of: self.run.id(slot), node: self.run.id(busy), state });
            }
        }
        self.run.add_elements(downstream, &mut cleared)?;
        while self.run.add_inner_lists(downstream, &mut cleared) {
            self.run.add_elements(downstream, &mut cleared)?;
        }
        let had_ended = self.run.state.is_end();
        self.record(Record::Cleared { slots: cleared.into_iter().collect() });
        if had_ended {
            self.limit_run();
        }
        Ok(())
    }
}

impl Run {
    fn is_mid_attempt(&self, slot: Slot) -> bool {
        let is_body = self.plan().node(self.ix(slot)).is_body();
        is_body && matches!(self.node(slot).state, NodeState::Running | NodeState::UpForRetry | NodeState::UpForReschedule)
    }

    /// The slots that an ended node's edges lead to.
    fn targets(&self, slot: Slot) -> Vec<Slot> {
        let plan = self.plan();
        let position = self.layout.position(slot);
        let scope = self.layout.expansion(position.expansion).scope;
        let mut targets = Vec::new();
        for edge in plan.out(self.ix(slot)) {
            if plan.node(edge.to).scope == scope {
                targets.push(self.layout.own_slot(plan, edge.to, position));
            } else {
                targets.extend(self.inward_targets(position, edge.to));
            }
        }
        if let What::Element { .. } = plan.node(self.ix(slot)).what {
            // Whatever lies within an element waits for it.
            let of = self.layout.expansion(position.expansion);
            targets.extend(slot + 1..slot + of.stride);
        }
        targets
    }

    fn add_with_dependents(&self, slot: Slot, downstream: bool, cleared: &mut BTreeSet<Slot>) {
        // Each with whether all that it repeats depends on what is cleared, and not only what it gathers.
        let mut doubtful = vec![(slot, true)];
        while let Some((slot, whole)) = doubtful.pop() {
            if downstream
                && whole
                && let Some(expansion) = self.layout.of_each(slot)
            {
                let elements = self.layout.surplus(expansion, 0).into_iter();
                doubtful.extend(elements.filter(|element| !cleared.contains(element)).map(|element| (element, true)));
            }
            if !cleared.insert(slot) {
                continue;
            }
            for target in self.targets(slot) {
                let state = self.node(target).state;
                let gate = !self.plan().node(self.ix(target)).is_body();
                let followed = matches!(state, NodeState::UpstreamFailed | NodeState::Skipped);
                if state != NodeState::None && (downstream || gate || followed) {
                    doubtful.push((target, true));
                }
            }
            let position = self.layout.position(slot);
            if let Some(each) = self.layout.expansion(position.expansion).each {
                // A mapping's result follows from its elements'.
                doubtful.push((each, false));
                let element = self.element(position);
                if self.may_activate(element, each) {
                    doubtful.push((element, true));
                }
            }
        }
    }

    /// Whether an element ended without having been activated, though its list is there: the run ended before its turn.
    fn may_activate(&self, element: Slot, each: Slot) -> bool {
        let list = self.layout.each(self.plan(), each);
        let list = list.map(|of| self.layout.resolve(self.plan(), of.list, self.layout.position(each)));
        let state = self.node(element).state;
        state.is_end() && state != NodeState::Success && list.is_some_and(|list| self.node(list).state == NodeState::Success)
    }

    /// Where a list is made anew, its elements are activated again once it is there. Until then nothing of them may be under way.
    fn add_elements(&self, downstream: bool, cleared: &mut BTreeSet<Slot>) -> Result<(), RetryError> {
        let plan = self.plan();
        let mut doubtful: Vec<Slot> = cleared.iter().copied().collect();
        while let Some(slot) = doubtful.pop() {
            let Some(each) = self.layout.each(plan, slot) else { continue };
            let list = self.layout.resolve(plan, each.list, self.layout.position(slot));
            let is_anew = |&expansion: &ExpansionIx| cleared.contains(&list) || self.mappings[expansion as usize].is_stale;
            let Some(expansion) = self.layout.of_each(slot).filter(is_anew) else { continue };
            let of = self.layout.expansion(expansion);
            let known = cleared.clone();
            for element in 0..of.width {
                self.add_with_dependents(of.base + element * of.stride, downstream, cleared);
            }
            let open = |slot: &Slot| !cleared.contains(slot) && !self.node(*slot).state.is_end();
            if let Some(open) = self.layout.surplus(expansion, 0).into_iter().find(open) {
                let (of, node, state) = (self.id(list), self.id(open), self.node(open).state);
                return Err(RetryError::DownstreamRuns { of, node, state });
            }
            doubtful.extend(cleared.difference(&known));
        }
        Ok(())
    }

    /// What is cleared within an element whose list is made anew waits for it. Where a mapping lies between the two, that holds
    /// only if its list is made anew as well. Says whether there was one that was not.
    fn add_inner_lists(&self, downstream: bool, cleared: &mut BTreeSet<Slot>) -> bool {
        let list_of = |expansion: ExpansionIx| {
            let each = self.layout.expansion(expansion).each?;
            let of = self.layout.each(self.plan(), each)?;
            Some((self.layout.resolve(self.plan(), of.list, self.layout.position(each)), self.layout.position(each).expansion))
        };
        let is_anew = |mut expansion: ExpansionIx| {
            while let Some((list, around)) = list_of(expansion) {
                if cleared.contains(&list) || self.mappings[expansion as usize].is_stale {
                    return true;
                }
                expansion = around;
            }
            false
        };
        let kept = |slot: &Slot| {
            let (list, around) = list_of(self.layout.position(*slot).expansion)?;
            (!cleared.contains(&list) && is_anew(around)).then_some(list)
        };
        let lists: BTreeSet<Slot> = cleared.iter().filter_map(kept).collect();
        for &list in &lists {
            self.add_with_dependents(list, downstream, cleared);
        }
        !lists.is_empty()
    }

    /// Undoes what happened to nodes. What they wait for is counted anew.
    pub(super) fn cleared(&mut self, slots: &[Slot]) {
        let plan = Arc::clone(self.plan());
        let cleared: BTreeSet<Slot> = slots.iter().copied().collect();
        for &slot in slots {
            self.reset(slot, &cleared);
        }
        // Only the edges that lead into cleared nodes matter; one pass finds them.
        let mut inbound: HashMap<NodeIx, Vec<(NodeIx, EdgeRule)>> = HashMap::new();
        let targets: BTreeSet<NodeIx> = slots.iter().map(|&slot| self.ix(slot)).collect();
        for (from, _) in (0..).zip(&plan.nodes) {
            for edge in plan.out(from).iter().filter(|edge| targets.contains(&edge.to)) {
                inbound.entry(edge.to).or_default().push((from, edge.rule));
            }
        }
        for &slot in slots {
            let position = self.layout.position(slot);
            self.waits_for_element(slot, position);
            for &(from, rule) in inbound.get(&self.ix(slot)).into_iter().flatten() {
                let from = self.layout.resolve(&plan, from, position);
                if self.node(from).state.is_end() {
                    self.follow(from, slot, rule);
                }
            }
            if self.node(slot).waits == 0 && self.node(slot).state == NodeState::None {
                self.scheduled(slot);
            }
        }
        self.state = RunState::Running;
    }

    /// What lies within an element waits for it.
    fn waits_for_element(&mut self, slot: Slot, position: Position) {
        if position.expansion == 0 {
            return;
        }
        let element = self.element(position);
        if element == slot {
            return self.pending.freed.push(position.expansion);
        }
        match self.node(element).state {
            NodeState::Success => self.holds(slot),
            NodeState::UpstreamFailed => self.decide(slot, Decision::UpstreamFailed(element)),
            NodeState::Skipped => self.decide(slot, Decision::Skipped(element)),
            _ => {}
        }
    }

    fn reset(&mut self, slot: Slot, cleared: &BTreeSet<Slot>) {
        let plan = Arc::clone(self.plan());
        let ix = self.ix(slot);
        let position = self.layout.position(slot);
        let was = self.node(slot).state;
        if was == NodeState::Failed && self.counts(ix) {
            self.failures -= 1;
        }
        if was.is_end() {
            self.open += 1;
            self.element_reopened(position);
        }
        // A mapping whose list stays keeps its elements, and only gathers them anew.
        let mut gathers = false;
        if let (Some(each), Some(expansion)) = (self.layout.each(&plan, slot), self.layout.of_each(slot)) {
            let list = self.layout.resolve(&plan, each.list, position);
            let is_stale = &mut self.mappings[expansion as usize].is_stale;
            *is_stale |= cleared.contains(&list);
            gathers = !*is_stale;
        }
        // Answers to earlier starts are still told apart.
        let node = self.node_mut(slot);
        let starts = node.starts;
        // An element is what its list made it.
        let value = node.value.take().filter(|_| matches!(plan.node(ix).what, What::Element { .. }));
        let waits = plan.node(ix).needs + u32::from(position.expansion > 0);
        let state = if gathers { NodeState::Running } else { NodeState::None };
        *self.node_mut(slot) = Node { state, starts, value, ..Node::new(ix, waits) };
        if position.expansion > 0 {
            let mapping = &mut self.mappings[position.expansion as usize];
            mapping.next = mapping.next.min(position.element);
            self.note_activity(position);
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

    /// A mapping's list is there anew: elements match by index, and surplus ones are removed.
    pub(super) fn unfolded_again(&mut self, each: Slot, old: ExpansionIx, new: ExpansionIx) {
        let kept = self.layout.expansion(new).width.min(self.layout.expansion(old).width);
        for (from, to) in self.layout.moves(old, new, kept) {
            let element = matches!(self.plan().node(self.ix(to)).what, What::Element { .. });
            let removed = Node { state: NodeState::Removed, ..Node::new(self.ix(from), 0) };
            let moved = std::mem::replace(self.node_mut(from), removed);
            let item = self.node(to).value.clone();
            *self.node_mut(to) = moved;
            if element {
                self.node_mut(to).value = item;
            }
            // The new slot was counted as open when it was made.
            self.open -= 1;
        }
        self.layout.rename(old, new, kept);
        for slot in self.layout.surplus(old, kept) {
            self.removed(slot);
        }
        let of = self.layout.expansion(new).clone();
        let open_of = |element: u32| {
            let slots = of.base + element * of.stride..of.base + (element + 1) * of.stride;
            u32::try_from(slots.filter(|&slot| !self.node(slot).state.is_end()).count()).unwrap_or(u32::MAX)
        };
        let open: Vec<u32> = (0..of.width).map(open_of).collect();
        let done = u32::try_from(open.iter().filter(|open| **open == 0).count()).unwrap_or(u32::MAX);
        let is_active = vec![false; open.len()];
        self.mappings[new as usize] = Mapping { open, next: 0, active: 0, is_active, done, is_stale: false };
        for element in 0..of.width {
            self.note_activity(Position { expansion: new, element });
        }
        if done == of.width {
            self.decide(each, Decision::Gathered);
        } else {
            self.pending.freed.push(new);
        }
    }

    fn removed(&mut self, slot: Slot) {
        let was = self.node(slot).state;
        if was == NodeState::Failed && self.counts(self.ix(slot)) {
            self.failures -= 1;
        }
        if !was.is_end() {
            self.open -= 1;
        }
        let starts = self.node(slot).starts;
        *self.node_mut(slot) = Node { state: NodeState::Removed, starts, ..Node::new(self.ix(slot), 0) };
    }
}
