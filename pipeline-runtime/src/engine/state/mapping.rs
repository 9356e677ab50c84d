//! Mappings: the progress of each list's elements.
//!
//! # Why a mapping that expands again gets new slots
//!
//! After a retry that changed its list, elements move to the new slots by key or by index, and surplus ones stay behind as
//! `removed`. So a slot in a record always means the node that it meant when the record was written.

use super::super::ids::{Keys, Slot};
use super::super::states::NodeState;
use super::changes::{Changes, Conclusion};
use super::layout::{Expansion, ExpansionIx, Position};
use super::node::Node;
use super::run::{Run, index};
use crate::author::input::Upstream;
use crate::author::keys::ListInspection;
use crate::author::value::Value;
use crate::plan::{Each, What};
use std::sync::Arc;

/// The progress of a mapping's elements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    /// Nodes of each element that have not ended.
    pub(super) open: Vec<u32>,
    /// No element before this one waits to be activated.
    pub(super) next: u32,
    /// The number of active elements, and which they are: activated and not ended.
    pub(super) active: u32,
    pub(super) is_active: Vec<bool>,
    pub(super) done: u32,
    /// The mapping's list was cleared. Until it expands again, the elements are those of an earlier list.
    pub(super) is_stale: bool,
}

/// What happens to a mapping's next element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    Activate,
    /// The element before it failed at this node, and elements run in order.
    Fail(Slot),
    /// The element before it was skipped at this node, and elements run in order.
    Skip(Slot),
}

impl Run {
    /// Returns the mapping at a slot, if it is one.
    pub(crate) fn each(&self, slot: Slot) -> Option<&Each> {
        match self.what(slot) {
            What::Each(each) => Some(each),
            _ => None,
        }
    }

    /// The slot of a mapping's list.
    pub(crate) fn list_of(&self, each: Slot) -> Option<Slot> {
        Some(self.seen_from(each, self.each(each)?.list))
    }

    /// A mapping's list, once it exists.
    fn list(&self, each: Slot) -> Option<Value> {
        let list = self.node(self.list_of(each)?).value()?.clone();
        Some(self.plan().part(list, self.plan().part_of_gate(self.ix(each), 0)))
    }

    /// The number of elements of a mapping's list, once it exists. Not to be called if user code must inspect the list.
    pub(crate) fn list_len(&self, each: Slot) -> Option<usize> {
        Some((self.each(each)?.mapping.len)(&self.list(each)?))
    }

    /// True if user code must inspect a mapping's list: to make keys, or because the list is part of an output.
    pub(crate) fn looks_at_list(&self, each: Slot) -> bool {
        let has_keys = self.each(each).is_some_and(|each| each.keys.is_some());
        has_keys || self.plan().part_of_gate(self.ix(each), 0).is_some()
    }

    /// Returns the inspection of a mapping's list, once the list exists.
    pub(crate) fn look(&self, each: Slot) -> Option<ListInspection> {
        let of = self.each(each)?;
        Some(ListInspection { list: self.list(each)?, len: of.mapping.len, keys: of.keys.clone() })
    }

    /// Returns how the elements of a mapping ended, in the list's order.
    pub(crate) fn elements(&self, each: Slot) -> Vec<Upstream> {
        let part = self.plan().part_of_gate(self.ix(each), 1);
        self.results(each).map_or_else(Vec::new, |results| results.map(|slot| self.upstream_part(slot, part)).collect())
    }

    /// Returns the expansion of a mapping's elements, given the mapping or any list of its results.
    pub(crate) fn expansion_of_list(&self, slot: Slot) -> Option<ExpansionIx> {
        match self.what(slot) {
            What::Gather(gather) => self.layout.of_each(self.seen_from(slot, gather.each)),
            _ => self.layout.of_each(slot),
        }
    }

    /// Returns the slots of the elements' results, in the list's order; `None` if the mapping never expanded.
    pub(crate) fn results(&self, list: Slot) -> Option<impl Iterator<Item = Slot>> {
        let expansion = self.expansion_of_list(list)?;
        let of = match self.what(list) {
            What::Each(each) => each.result,
            What::Gather(gather) => gather.result,
            _ => return None,
        };
        let result = move |element| self.layout.resolve(self.plan(), of, Position { expansion, element });
        Some((0..self.layout.expansion(expansion).width).map(result))
    }

    /// Returns the next element of a mapping that may be activated, or never will be, if there is one.
    pub(crate) fn next_element(&self, expansion: ExpansionIx) -> Option<(Slot, Turn)> {
        let of = self.layout.expansion(expansion);
        let each = of.each?;
        // While the list is rebuilt its elements wait.
        let is_current = self.node(each).state == NodeState::Running && self.layout.of_each(each) == Some(expansion);
        let mapping = &self.mappings[expansion as usize];
        let Each { max_active, in_order, .. } = self.each(each)?;
        let is_full = max_active.is_some_and(|most| mapping.active >= most) || (*in_order && mapping.active > 0);
        if !is_current || is_full {
            return None;
        }
        // No element before `next` waits.
        let slot = |element: u32| of.base + element * of.stride;
        let next = (mapping.next..of.width).find(|&element| self.node(slot(element)).state == NodeState::None)?;
        let turn = match next.checked_sub(1).filter(|_| *in_order) {
            // Its result may not be decided yet.
            Some(before) if mapping.open[before as usize] > 0 => return None,
            Some(before) => self.turn_after(each, Position { expansion, element: before }),
            None => Turn::Activate,
        };
        Some((slot(next), turn))
    }

    /// Returns what an ended element means for the next one, if elements run in order.
    fn turn_after(&self, each: Slot, before: Position) -> Turn {
        // Failed nodes count even if the results do not depend on them, also inside inner mappings. `upstream_failed` does not
        // count, as in a run: its cause has counted or not, or lies outside.
        let within = self.plan().node(self.ix(each)).scope;
        let has_failed =
            |slot: &Slot| self.node(*slot).state == NodeState::Failed && self.counts_within(self.ix(*slot), Some(within));
        let results = self.each(each).into_iter().flat_map(|each| std::iter::once(&each.result).chain(&each.gathered));
        let results: Vec<Slot> = results.map(|&result| self.layout.resolve(self.plan(), result, before)).collect();
        if let Some(failed) = self.layout.within_element(before).into_iter().find(has_failed) {
            return Turn::Fail(failed);
        }
        let turns = results.into_iter().filter_map(|result| match self.node(result).state {
            NodeState::Success => None,
            NodeState::Failed | NodeState::UpstreamFailed => Some(Turn::Fail(result)),
            _ => Some(Turn::Skip(result)),
        });
        turns.min_by_key(|turn| matches!(turn, Turn::Skip(_))).unwrap_or(Turn::Activate)
    }

    /// Returns the elements from that one on that wait to be activated, up to the first that does not.
    pub(crate) fn waiting_from(&self, element: Slot) -> impl Iterator<Item = Slot> {
        let position = self.layout.position(element);
        let Expansion { base, stride, width, .. } = *self.layout.expansion(position.expansion);
        let elements = (position.element..width).map(move |element| base + element * stride);
        elements.take_while(|&element| self.node(element).state == NodeState::None)
    }

    /// True if all nodes of an element have ended.
    pub(crate) fn has_element_ended(&self, position: Position) -> bool {
        self.mappings[position.expansion as usize].open.get(position.element as usize).is_none_or(|open| *open == 0)
    }

    /// True if all elements of a mapping have ended, and the mapping waits for nothing else.
    pub(crate) fn is_complete(&self, each: Slot) -> bool {
        let node = self.node(each);
        let all = |ix: ExpansionIx| self.mappings[ix as usize].done == self.layout.expansion(ix).width;
        node.state == NodeState::Running && node.waits == 0 && self.layout.of_each(each).is_some_and(all)
    }

    /// True if a mapping's list was cleared since this expansion.
    pub(crate) fn is_stale(&self, expansion: ExpansionIx) -> bool {
        self.mappings[expansion as usize].is_stale
    }

    /// Returns the nodes of a mapping's elements that have not ended, including those of mappings within them.
    pub(crate) fn open_elements(&self, each: Slot) -> Vec<Slot> {
        let elements = self.layout.of_each(each).map(|expansion| self.layout.inside(expansion));
        elements.into_iter().flatten().filter(|&slot| !self.node(slot).state.is_end()).collect()
    }

    // ---- what happens to a mapping

    pub(super) fn expanded(&mut self, slot: Slot, width: u32, keys: Option<Keys>, changes: &mut impl Changes) {
        let plan = Arc::clone(self.plan());
        let What::Each(each) = &plan.node(self.ix(slot)).what else { return };
        let before = self.layout.of_each(slot);
        let first = index(self.nodes.len());
        let expansion = self.layout.unfold(&plan, slot, each.scope, width, keys);
        let Expansion { base, stride, .. } = *self.layout.expansion(expansion);
        let scope = plan.scope(each.scope);
        let list = self.list(slot);
        for element in 0..width {
            for (&node, is_element) in scope.nodes.iter().zip(std::iter::once(true).chain(std::iter::repeat(false))) {
                // Within a mapping a node also waits for its element to be activated.
                let waits = plan.node(node).needs + 1;
                let item = |list| (each.mapping.item)(list, element as usize);
                let value = list.as_ref().filter(|_| is_element).map(item).into();
                self.nodes.push(Node { value, ..Node::new(&plan, node, waits) });
            }
        }
        self.open += stride as usize * width as usize;
        self.mappings.push(Mapping {
            open: vec![stride; width as usize],
            is_active: vec![false; width as usize],
            ..Mapping::default()
        });
        let node = self.node_mut(slot);
        // Under an older plan the mapping may have expanded before what it waits for now.
        node.waits = 0;
        node.state = NodeState::Running;
        changes.expanded(first);
        let kept = before.map_or_else(Vec::new, |before| self.layout.matches(before, expansion));
        let mut is_kept = vec![false; width as usize];
        for (_, element) in &kept {
            is_kept[*element as usize] = true;
        }
        // Nodes around the mapping, from which elements take inputs, may have ended before the elements existed.
        for (from, edge) in &scope.imports {
            let from = self.seen_from(slot, *from);
            if self.node(from).state.is_end() {
                for element in (0..width).filter(|element| !is_kept[*element as usize]) {
                    let to = base + element * stride + plan.node(edge.to).offset;
                    self.follow(from, to, edge.rule, changes);
                }
            }
        }
        match before {
            Some(before) => self.expanded_again(slot, before, expansion, &kept, changes),
            None if width == 0 => self.conclude_complete(slot, changes),
            None => changes.freed(expansion),
        }
    }

    fn conclude_complete(&mut self, each: Slot, changes: &mut impl Changes) {
        if self.is_complete(each) {
            self.conclude(each, Conclusion::Complete, changes);
        }
    }

    /// A mapping's list exists again: elements match by key, or without keys by index, and surplus ones are removed.
    fn expanded_again(
        &mut self,
        each: Slot,
        old: ExpansionIx,
        new: ExpansionIx,
        kept: &[(u32, u32)],
        changes: &mut impl Changes,
    ) {
        for (from, to) in self.layout.moves(old, new, kept) {
            // Elements are cleared with their list, and their nodes wait for them again. So a node that moves is in no queue and
            // has asked for nothing.
            debug_assert_ne!(self.node(from).state, NodeState::Scheduled, "what is moved has not asked for anything");
            let is_element = matches!(self.what(to), What::Element { .. });
            let gone = Node { state: NodeState::Removed, ..Node::new(self.plan(), self.ix(from), 0) };
            let moved = std::mem::replace(self.node_mut(from), gone);
            let mut fresh = std::mem::replace(self.node_mut(to), moved);
            if is_element {
                std::mem::swap(&mut self.node_mut(to).value, &mut fresh.value);
            }
            if let Some(value) = fresh.value.into_option() {
                changes.dropped(value);
            }
            // The new slot was counted as open when it was made.
            self.open -= 1;
            changes.moved(from, to);
        }
        self.layout.rename(old, new, kept);
        for slot in self.layout.surplus(old, kept) {
            self.removed(slot, changes);
        }
        let of = self.layout.expansion(new).clone();
        let open_of = |element: u32| {
            let slots = of.base + element * of.stride..of.base + (element + 1) * of.stride;
            index(slots.filter(|&slot| !self.node(slot).state.is_end()).count())
        };
        let open: Vec<u32> = (0..of.width).map(open_of).collect();
        let done = index(open.iter().filter(|open| **open == 0).count());
        let is_active = vec![false; open.len()];
        self.mappings[new as usize] = Mapping { open, next: 0, active: 0, is_active, done, is_stale: false };
        for element in 0..of.width {
            self.note_activity(Position { expansion: new, element });
        }
        self.advance_next(new);
        self.conclude_complete(each, changes);
        changes.freed(new);
    }

    fn removed(&mut self, slot: Slot, changes: &mut impl Changes) {
        if self.node(slot).state == NodeState::Removed {
            return;
        }
        self.uncount(slot);
        if !self.node(slot).state.is_end() {
            self.open -= 1;
        }
        let starts = self.node(slot).starts;
        let gone = Node { state: NodeState::Removed, starts, ..Node::new(self.plan(), self.ix(slot), 0) };
        let was = std::mem::replace(self.node_mut(slot), gone);
        if let Some(value) = was.value.into_option() {
            changes.dropped(value);
        }
        changes.removed(slot);
    }

    /// An element is activated: the nodes within it no longer wait for that.
    pub(super) fn activated(&mut self, position: Position, changes: &mut impl Changes) {
        let Expansion { base, stride, .. } = *self.layout.expansion(position.expansion);
        let first = base + position.element * stride;
        for slot in first + 1..first + stride {
            self.holds(slot, changes);
        }
    }

    /// An element will never be activated, and neither will the nodes within it that wait for it.
    pub(super) fn element_not_activated(&self, element: Slot, state: NodeState, changes: &mut impl Changes) {
        let of = self.layout.expansion(self.layout.position(element).expansion);
        let conclusion = match state {
            NodeState::Skipped => Conclusion::Skipped(element),
            _ => Conclusion::UpstreamFailed(element),
        };
        for slot in element + 1..element + of.stride {
            if !self.node(slot).state.is_end() {
                self.conclude(slot, conclusion, changes);
            }
        }
    }

    /// Advances a mapping's `next` to the first element that waits. Each element is passed once between two retries.
    fn advance_next(&mut self, expansion: ExpansionIx) {
        let Expansion { base, stride, width, .. } = *self.layout.expansion(expansion);
        let mut next = self.mappings[expansion as usize].next;
        while next < width && self.node(base + next * stride).state != NodeState::None {
            next += 1;
        }
        self.mappings[expansion as usize].next = next;
    }

    /// One node of an element has ended.
    pub(super) fn element_ended(&mut self, position: Position, changes: &mut impl Changes) {
        self.advance_next(position.expansion);
        let each = self.layout.expansion(position.expansion).each;
        let mapping = &mut self.mappings[position.expansion as usize];
        let open = &mut mapping.open[position.element as usize];
        *open -= 1;
        if *open > 0 {
            return;
        }
        mapping.done += 1;
        match each {
            Some(each) if self.is_complete(each) => self.conclude(each, Conclusion::Complete, changes),
            _ => changes.freed(position.expansion),
        }
    }

    /// Updates the count of active elements after a change of one.
    pub(super) fn note_activity(&mut self, position: Position) {
        let activated = self.node(self.element(position)).state == NodeState::Success;
        let mapping = &mut self.mappings[position.expansion as usize];
        let is_active = activated && mapping.open[position.element as usize] > 0;
        let was_active = std::mem::replace(&mut mapping.is_active[position.element as usize], is_active);
        match (was_active, is_active) {
            (false, true) => mapping.active += 1,
            (true, false) => mapping.active -= 1,
            _ => {}
        }
    }
}
