//! Which of a run's slots are listed: each node once, and each element once.
//!
//! A list that is made anew, after a retry, gets new slots. Elements that both lists have are told of at their new slots; those that only an
//! older list had were removed, and are told of where they were, unless a later list has an element of that index again.

use crate::engine::{ExpansionIx, Layout, Slot};
use std::collections::{BTreeMap, HashMap};

/// The slots to list, in wiring order, elements after the plan's own nodes. Elements of one mapping stand together, by index.
pub(super) fn slots(layout: &Layout) -> Vec<Slot> {
    let len = u32::try_from(layout.len()).unwrap_or(u32::MAX);
    let mut elements = Vec::new();
    let replaced = replaced(layout, len);
    let mut end = len;
    for (&ix, &from) in replaced.iter().rev() {
        let of = layout.expansion(ix);
        end = end.min(of.base);
        let Some(each) = of.each.filter(|each| is_there(layout, &replaced, *each)) else { continue };
        let newest = layout.of_each(each).unwrap_or(ix);
        elements.extend((from..of.width).map(|element| (newest, element, of.base + element * of.stride, of.stride)));
    }
    elements.sort_unstable();
    (0..end).chain(elements.into_iter().flat_map(|(.., first, stride)| first..first + stride)).collect()
}

/// By list: how many of its first elements are there again in a newer list of the same mapping.
fn replaced(layout: &Layout, len: Slot) -> BTreeMap<ExpansionIx, u32> {
    let (mut replaced, mut widest) = (BTreeMap::new(), HashMap::<Slot, u32>::new());
    let mut end = len;
    // The newest first.
    while let Some(last) = end.checked_sub(1) {
        let ix = layout.position(last).expansion;
        let of = layout.expansion(ix);
        let Some(each) = of.each else { break };
        let newer = widest.entry(each).or_default();
        replaced.insert(ix, (*newer).min(of.width));
        *newer = (*newer).max(of.width);
        end = of.base;
    }
    replaced
}

/// Whether neither the slot nor a mapping that it lies in is told of elsewhere.
fn is_there(layout: &Layout, replaced: &BTreeMap<ExpansionIx, u32>, slot: Slot) -> bool {
    let position = layout.position(slot);
    let is_own = replaced.get(&position.expansion).is_none_or(|&from| position.element >= from);
    is_own && layout.expansion(position.expansion).each.is_none_or(|each| is_there(layout, replaced, each))
}
