//! The slots of a run's nodes.
//!
//! The plan's own nodes come first. When a mapping expands, its elements get a block of slots: all nodes of the first element,
//! then all of the second. So slots in order are elements in order, and the nodes of one element are adjacent.

use super::super::ids::{Keys, Slot};
use crate::plan::{NodeIx, Plan, ScopeIx, What};
use std::collections::HashMap;
use std::fmt::{self, Write};

/// An expansion's index in its run. The first is the plan itself.
pub(crate) type ExpansionIx = u32;

/// One scope, repeated for the elements of one list.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    pub(crate) scope: ScopeIx,
    pub(crate) base: Slot,
    /// The number of nodes of one element.
    pub(crate) stride: u32,
    pub(crate) width: u32,
    /// The mapping's slot; `None` for the plan itself.
    pub(crate) each: Option<Slot>,
    /// The elements' keys; `None` if they are named by their indices.
    pub(crate) keys: Option<Keys>,
}

/// The name of an element within its list.
#[derive(Debug, Clone)]
pub(crate) enum Label {
    Index(u32),
    Key(Keys, u32),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(keys, index) => write!(f, "[{}]", keys.get(*index as usize).map_or("", AsRef::as_ref)),
        }
    }
}

impl Expansion {
    fn label(&self, element: u32) -> Label {
        self.keys.as_ref().map_or(Label::Index(element), |keys| Label::Key(Keys::clone(keys), element))
    }

    /// Returns the element of that name.
    fn named(&self, name: &str) -> Option<u32> {
        let element = match &self.keys {
            Some(keys) => u32::try_from(keys.iter().position(|key| **key == *name)?).ok()?,
            // Only the canonical form counts: `+1` and `01` name nothing.
            None => name.parse().ok().filter(|index: &u32| index.to_string() == name)?,
        };
        (element < self.width).then_some(element)
    }

    /// Returns the elements of an earlier list that a later list of the same mapping still has, as pairs of their indices: those
    /// with the same key, or without keys the same index.
    pub(crate) fn matches(&self, later: &Self) -> Vec<(u32, u32)> {
        match (&self.keys, &later.keys) {
            (None, None) => (0..self.width.min(later.width)).map(|index| (index, index)).collect(),
            (Some(old), Some(new)) => {
                let old: HashMap<&str, u32> = old.iter().map(AsRef::as_ref).zip(0..).collect();
                new.iter().zip(0..).filter_map(|(key, to)| Some((*old.get(&**key)?, to))).collect()
            }
            // There is no way to match them.
            _ => Vec::new(),
        }
    }
}

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    Slot(Slot),
    /// An element of a list that does not exist yet.
    NotYet,
    Nothing,
}

/// Splits an id such as `upload[3][bart]` into a node's name and the names of its elements. Returns `None` for any other form: no
/// name and no key contains a bracket.
pub(crate) fn node_name(id: &str) -> Option<(&str, Vec<&str>)> {
    let Some((name, elements)) = id.split_once('[') else { return (!id.contains(']')).then_some((id, Vec::new())) };
    let elements: Vec<&str> = elements.strip_suffix(']')?.split("][").collect();
    let is_odd = |part: &&str| part.contains(['[', ']']);
    (!name.contains(']') && !elements.iter().any(is_odd)).then_some((name, elements))
}

/// The expansion and the element that a slot lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) expansion: ExpansionIx,
    pub(crate) element: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Layout {
    expansions: Vec<Expansion>,
    /// The number of the plan's own slots.
    own: Slot,
    /// The expansion of each slot behind those.
    owners: Vec<ExpansionIx>,
    of_each: HashMap<Slot, ExpansionIx>,
}

impl Layout {
    pub(crate) fn new(plan: &Plan) -> Self {
        let stride = u32::try_from(plan.scope(0).nodes.len()).unwrap_or(u32::MAX);
        let root = Expansion { scope: 0, base: 0, stride, width: 1, each: None, keys: None };
        Self { expansions: vec![root], own: stride, owners: Vec::new(), of_each: HashMap::new() }
    }

    /// The number of expansions, including the plan itself.
    #[cfg(test)]
    pub(crate) fn expansions(&self) -> usize {
        self.expansions.len()
    }

    /// The number of slots.
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

    /// Allocates slots for the elements of a mapping.
    pub(crate) fn unfold(&mut self, plan: &Plan, each: Slot, scope: ScopeIx, width: u32, keys: Option<Keys>) -> ExpansionIx {
        let stride = u32::try_from(plan.scope(scope).nodes.len()).unwrap_or(u32::MAX);
        let ix = u32::try_from(self.expansions.len()).unwrap_or(u32::MAX);
        let base = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.owners.resize(self.owners.len() + stride as usize * width as usize, ix);
        self.expansions.push(Expansion { scope, base, stride, width, each: Some(each), keys });
        self.of_each.insert(each, ix);
        ix
    }

    /// Returns which elements of `old` are elements of `new`, as pairs of their indices.
    pub(crate) fn matches(&self, old: ExpansionIx, new: ExpansionIx) -> Vec<(u32, u32)> {
        self.expansion(old).matches(self.expansion(new))
    }

    /// Returns where the nodes of these elements of `old` move in `new`, when a mapping expands again.
    pub(crate) fn moves(&self, old: ExpansionIx, new: ExpansionIx, kept: &[(u32, u32)]) -> Vec<(Slot, Slot)> {
        let (from, to) = (self.expansion(old), self.expansion(new));
        let element = |&(old, new): &(u32, u32)| (from.base + old * from.stride, to.base + new * to.stride);
        let nodes = |(old, new): (Slot, Slot)| (0..from.stride).map(move |offset| (old + offset, new + offset));
        kept.iter().map(element).flat_map(nodes).collect()
    }

    /// Returns the slots of one element, with those nested in it.
    pub(crate) fn within_element(&self, position: Position) -> Vec<Slot> {
        let first = self.base(position);
        self.with_nested((first..first + self.expansion(position.expansion).stride).collect())
    }

    /// Returns the slots of all elements of an expansion, with those nested in them.
    pub(crate) fn inside(&self, expansion: ExpansionIx) -> Vec<Slot> {
        self.surplus(expansion, &[])
    }

    /// Returns the slots of the elements of `old` that are not `kept`, with those nested in them.
    pub(crate) fn surplus(&self, old: ExpansionIx, kept: &[(u32, u32)]) -> Vec<Slot> {
        let of = self.expansion(old);
        let mut is_kept = vec![false; of.width as usize];
        for (old, _) in kept {
            is_kept[*old as usize] = true;
        }
        let gone = (0..of.width).zip(is_kept).filter(|(_, is_kept)| !is_kept).map(|(element, _)| of.base + element * of.stride);
        self.with_nested(gone.flat_map(|first| first..first + of.stride).collect())
    }

    fn with_nested(&self, mut slots: Vec<Slot>) -> Vec<Slot> {
        let mut seen = 0;
        while let Some(&slot) = slots.get(seen) {
            seen += 1;
            if let Some(nested) = self.of_each.get(&slot).map(|&ix| self.expansion(ix)) {
                slots.extend(nested.base..nested.base + nested.width * nested.stride);
            }
        }
        slots
    }

    /// Assigns the expansions nested in the kept elements of `old` to the elements of `new`.
    pub(crate) fn rename(&mut self, old: ExpansionIx, new: ExpansionIx, kept: &[(u32, u32)]) {
        for (from, to) in self.moves(old, new, kept) {
            if let Some(nested) = self.of_each.remove(&from) {
                self.expansions[nested as usize].each = Some(to);
                self.of_each.insert(to, nested);
            }
        }
    }

    /// Returns the current expansion of a mapping, if it has expanded.
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

    /// Returns the slot of the first node at `position`.
    #[inline]
    pub(crate) fn base(&self, position: Position) -> Slot {
        if position.expansion == 0 {
            return 0;
        }
        let of = self.expansion(position.expansion);
        of.base + position.element * of.stride
    }

    /// Returns the slot of `node` at `position`, if `node` belongs to that expansion's own scope.
    #[inline]
    pub(crate) fn own_slot(&self, plan: &Plan, node: NodeIx, position: Position) -> Slot {
        self.base(position) + plan.node(node).offset
    }

    /// Returns the slot of `node` as seen from `position`: the node's scope is that of `position` or one around it.
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

    /// Returns the names of the elements that a slot lies in, outermost first.
    pub(crate) fn labels(&self, slot: Slot) -> Vec<Label> {
        let mut labels = Vec::new();
        let mut position = self.position(slot);
        loop {
            let of = self.expansion(position.expansion);
            let Some(each) = of.each else { break };
            labels.push(of.label(position.element));
            position = self.position(each);
        }
        labels.reverse();
        labels
    }

    /// Returns a slot's id: its node's, with the key or index of its element, such as `upload[bart]` or nested `upload[3][1]`.
    pub(crate) fn id(&self, plan: &Plan, slot: Slot) -> String {
        let mut id = plan.id(self.node(plan, slot));
        for label in self.labels(slot) {
            // Writing to a text cannot fail.
            let _ = write!(id, "{label}");
        }
        id
    }

    /// Returns the slot of that id, if it has one yet.
    pub(crate) fn find(&self, plan: &Plan, id: &str) -> Option<Slot> {
        match self.look_up(plan, id) {
            Lookup::Slot(slot) => Some(slot),
            Lookup::NotYet | Lookup::Nothing => None,
        }
    }

    /// Returns what an id names.
    pub(crate) fn look_up(&self, plan: &Plan, id: &str) -> Lookup {
        let Some((name, elements)) = node_name(id) else { return Lookup::Nothing };
        let Some(node) = plan.find(name) else { return Lookup::Nothing };
        let mut mappings = Vec::new();
        let mut scope = plan.node(node).scope;
        while let Some(each) = plan.scope(scope).each {
            mappings.push(each);
            scope = plan.node(each).scope;
        }
        if elements.len() != mappings.len() {
            return Lookup::Nothing;
        }
        let mut position = Position { expansion: 0, element: 0 };
        for (each, name) in mappings.into_iter().rev().zip(elements) {
            let each = self.own_slot(plan, each, position);
            let of = |ix: ExpansionIx| Some(Position { expansion: ix, element: self.expansion(ix).named(name)? });
            // An element that a later list no longer has is still found in its old slot.
            let older = || {
                let expansions = (0..u32::try_from(self.expansions.len()).unwrap_or(u32::MAX)).rev();
                expansions.filter(|ix| self.expansion(*ix).each == Some(each)).find_map(of)
            };
            let current = self.of_each(each);
            match current.and_then(of).or_else(older) {
                Some(found) => position = found,
                None if current.is_none() => return Lookup::NotYet,
                None => return Lookup::Nothing,
            }
        }
        Lookup::Slot(self.own_slot(plan, node, position))
    }

    /// Returns the mapping at a slot, if it is one.
    pub(crate) fn each<'a>(&self, plan: &'a Plan, slot: Slot) -> Option<&'a crate::plan::Each> {
        match &plan.node(self.node(plan, slot)).what {
            What::Each(each) => Some(each),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_name_is_read_as_it_is_written_and_in_no_other_way() {
        assert_eq!(node_name("upload"), Some(("upload", vec![])));
        assert_eq!(node_name("upload[3][bart]"), Some(("upload", vec!["3", "bart"])));
        assert_eq!(node_name("upload[ä b]"), Some(("upload", vec!["ä b"])));
        for odd in ["upload[3", "upload3]", "upload[3]]", "upload[[3]", "upload[3]x", "upload[3][", "up]load[3]"] {
            assert_eq!(node_name(odd), None, "{odd}");
        }
        let of = |keys| Expansion { scope: 0, base: 0, stride: 1, width: 3, each: None, keys };
        assert_eq!(["2", "3", "02", "+2", " 2", ""].map(|name| of(None).named(name)), [Some(2), None, None, None, None, None]);
        let keys: Keys = ["01", "b", "c"].map(Into::into).into();
        assert_eq!(["01", "1", "c"].map(|name| of(Some(Keys::clone(&keys))).named(name)), [Some(0), None, Some(2)]);
    }
}
