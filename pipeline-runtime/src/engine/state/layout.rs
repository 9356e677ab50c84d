//! Where a run's nodes have their slots.
//!
//! The plan's own nodes come first. When a mapping expands, its elements get a block of slots: all nodes of the first element,
//! then all of the second, so that slots in order are elements in order, and one element's nodes stand together.

use super::super::ids::Slot;
use crate::plan::{NodeIx, Plan, ScopeIx, What};
use std::collections::HashMap;
use std::fmt::Write;

/// An expansion's index in its run. The first is the plan itself.
pub(crate) type ExpansionIx = u32;

/// One scope, repeated for the elements of one list.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    pub(crate) scope: ScopeIx,
    pub(crate) base: Slot,
    /// How many nodes an element has.
    pub(crate) stride: u32,
    pub(crate) width: u32,
    /// The mapping's slot; none for the plan itself.
    pub(crate) each: Option<Slot>,
}

/// A slot's element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) expansion: ExpansionIx,
    pub(crate) element: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Layout {
    expansions: Vec<Expansion>,
    /// How many slots are the plan's own.
    own: Slot,
    /// The expansion of each slot after those.
    owners: Vec<ExpansionIx>,
    of_each: HashMap<Slot, ExpansionIx>,
}

impl Layout {
    pub(crate) fn new(plan: &Plan) -> Self {
        let stride = u32::try_from(plan.scope(0).nodes.len()).unwrap_or(u32::MAX);
        let root = Expansion { scope: 0, base: 0, stride, width: 1, each: None };
        Self { expansions: vec![root], own: stride, owners: Vec::new(), of_each: HashMap::new() }
    }

    /// How often something has expanded, the plan itself included.
    #[cfg(test)]
    pub(crate) fn expansions(&self) -> usize {
        self.expansions.len()
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.own as usize + self.owners.len()
    }

    #[inline]
    fn owner(&self, slot: Slot) -> ExpansionIx {
        slot.checked_sub(self.own).map_or(0, |unfolded| self.owners[unfolded as usize])
    }

    #[inline]
    pub(crate) fn expansion(&self, ix: ExpansionIx) -> &Expansion {
        &self.expansions[ix as usize]
    }

    /// Makes room for the elements of a mapping.
    pub(crate) fn unfold(&mut self, plan: &Plan, each: Slot, scope: ScopeIx, width: u32) -> ExpansionIx {
        let stride = u32::try_from(plan.scope(scope).nodes.len()).unwrap_or(u32::MAX);
        let ix = u32::try_from(self.expansions.len()).unwrap_or(u32::MAX);
        let base = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.owners.resize(self.owners.len() + stride as usize * width as usize, ix);
        self.expansions.push(Expansion { scope, base, stride, width, each: Some(each) });
        self.of_each.insert(each, ix);
        ix
    }

    /// Where the nodes of the first `kept` elements of `old` are in `new`, when a mapping has expanded again.
    pub(crate) fn moves(&self, old: ExpansionIx, new: ExpansionIx, kept: u32) -> Vec<(Slot, Slot)> {
        let (from, to) = (self.expansion(old), self.expansion(new));
        (0..kept * from.stride).map(|offset| (from.base + offset, to.base + offset)).collect()
    }

    /// The slots of the elements of `old` from the `kept`th on, with those nested in them.
    pub(crate) fn surplus(&self, old: ExpansionIx, kept: u32) -> Vec<Slot> {
        let of = self.expansion(old);
        let mut slots: Vec<Slot> = (of.base + kept * of.stride..of.base + of.width * of.stride).collect();
        let mut seen = 0;
        while let Some(&slot) = slots.get(seen) {
            seen += 1;
            if let Some(nested) = self.of_each.get(&slot).map(|&ix| self.expansion(ix)) {
                slots.extend(nested.base..nested.base + nested.width * nested.stride);
            }
        }
        slots
    }

    /// Lets what is nested in the kept elements of `old` belong to those of `new`.
    pub(crate) fn rename(&mut self, old: ExpansionIx, new: ExpansionIx, kept: u32) {
        for (from, to) in self.moves(old, new, kept) {
            if let Some(nested) = self.of_each.remove(&from) {
                self.expansions[nested as usize].each = Some(to);
                self.of_each.insert(to, nested);
            }
        }
    }

    /// What a mapping's list expanded to, if it has.
    #[inline]
    pub(crate) fn of_each(&self, each: Slot) -> Option<ExpansionIx> {
        self.of_each.get(&each).copied()
    }

    #[inline]
    pub(crate) fn position(&self, slot: Slot) -> Position {
        if slot < self.own {
            return Position { expansion: 0, element: 0 };
        }
        let expansion = self.owner(slot);
        let of = self.expansion(expansion);
        Position { expansion, element: (slot - of.base).checked_div(of.stride).unwrap_or(0) }
    }

    #[inline]
    pub(crate) fn node(&self, plan: &Plan, slot: Slot) -> NodeIx {
        if slot < self.own {
            return plan.scope(0).nodes[slot as usize];
        }
        let of = self.expansion(self.owner(slot));
        plan.scope(of.scope).nodes[((slot - of.base) % of.stride) as usize]
    }

    /// The slot of the first node at `position`.
    #[inline]
    pub(crate) fn base(&self, position: Position) -> Slot {
        if position.expansion == 0 {
            return 0;
        }
        let of = self.expansion(position.expansion);
        of.base + position.element * of.stride
    }

    /// The slot of `node` at `position`, where `node` is of that expansion's own scope.
    #[inline]
    pub(crate) fn own_slot(&self, plan: &Plan, node: NodeIx, position: Position) -> Slot {
        self.base(position) + plan.node(node).offset
    }

    /// The slot of `node` as it is seen from `position`: its own scope is that of `position` or one around it.
    #[inline]
    pub(crate) fn resolve(&self, plan: &Plan, node: NodeIx, position: Position) -> Slot {
        let mut position = position;
        if position.expansion == 0 {
            return self.own_slot(plan, node, position);
        }
        let scope = plan.node(node).scope;
        loop {
            let of = self.expansion(position.expansion);
            match of.each {
                Some(each) if of.scope != scope => position = self.position(each),
                _ => return self.own_slot(plan, node, position),
            }
        }
    }

    /// The indices of the elements that a slot lies in, outermost first.
    pub(crate) fn indices(&self, slot: Slot) -> Vec<u32> {
        let mut indices = Vec::new();
        let mut position = self.position(slot);
        while let Some(each) = self.expansion(position.expansion).each {
            indices.push(position.element);
            position = self.position(each);
        }
        indices.reverse();
        indices
    }

    /// A slot's id: its node's, with the index of its element: `upload[3]`, nested `upload[3][1]`.
    pub(crate) fn id(&self, plan: &Plan, slot: Slot) -> String {
        let mut id = plan.id(self.node(plan, slot));
        for index in self.indices(slot) {
            // Writing to a text cannot fail.
            let _ = write!(id, "[{index}]");
        }
        id
    }

    /// The slot of that id, if it has one yet.
    pub(crate) fn find(&self, plan: &Plan, id: &str) -> Option<Slot> {
        let (name, indices) = id.find('[').map_or((id, ""), |at| id.split_at(at));
        let node = plan.find(name)?;
        let mut mappings = Vec::new();
        let mut scope = plan.node(node).scope;
        while let Some(each) = plan.scope(scope).each {
            mappings.push(each);
            scope = plan.node(each).scope;
        }
        let indices: Vec<u32> =
            indices.split_terminator(']').map(|index| index.strip_prefix('[')?.parse().ok()).collect::<Option<_>>()?;
        if indices.len() != mappings.len() {
            return None;
        }
        let mut position = Position { expansion: 0, element: 0 };
        for (each, element) in mappings.into_iter().rev().zip(indices) {
            let each = self.own_slot(plan, each, position);
            // An element that a shorter list no longer has is still to be found where it was.
            let has = |expansion: &Expansion| expansion.each == Some(each) && element < expansion.width;
            let expansion = self.of_each(each).filter(|&ix| has(self.expansion(ix)));
            let older = || u32::try_from(self.expansions.iter().rposition(has)?).ok();
            let expansion = expansion.or_else(older)?;
            position = Position { expansion, element };
        }
        Some(self.own_slot(plan, node, position))
    }

    /// The mapping that a slot is, if it is one.
    pub(crate) fn each<'a>(&self, plan: &'a Plan, slot: Slot) -> Option<&'a crate::plan::Each> {
        match &plan.node(self.node(plan, slot)).what {
            What::Each(each) => Some(each),
            _ => None,
        }
    }
}
