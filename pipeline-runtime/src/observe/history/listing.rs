//! Which of a run's slots are listed: each node once, and each element once.
//!
//! A list that is made anew, after a retry, gets new slots. Elements that both lists have are told of at their new slots; those that only an
//! older list had were removed, and are told of where they were, unless a later list has an element of that key, or without keys of that index,
//! again.

use crate::engine::{ExpansionIx, Layout, Slot};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The slots to list, in wiring order, elements after the plan's own nodes. Elements of one mapping stand together, by index.
pub(super) fn slots(layout: &Layout) -> Vec<Slot> {
    let len = u32::try_from(layout.len()).unwrap_or(u32::MAX);
    let mut elements = Vec::new();
    let replaced = replaced(layout, len);
    let mut end = len;
    for (&ix, is_elsewhere) in replaced.iter().rev() {
        let of = layout.expansion(ix);
        end = end.min(of.base);
        let Some(each) = of.each.filter(|each| is_there(layout, &replaced, *each)) else { continue };
        let newest = layout.of_each(each).unwrap_or(ix);
        let here = (0..of.width).zip(is_elsewhere).filter(|(_, is_elsewhere)| !**is_elsewhere);
        elements.extend(here.map(|(element, _)| (newest, element, of.base + element * of.stride, of.stride)));
    }
    elements.sort_unstable();
    (0..end).chain(elements.into_iter().flat_map(|(.., first, stride)| first..first + stride)).collect()
}

/// What elements of newer lists of one mapping are called.
#[derive(Default)]
struct Newer<'a> {
    /// Of lists without keys: how many elements the longest has.
    widest: u32,
    keys: HashSet<&'a str>,
}

/// By list: which of its elements are there again in a newer list of the same mapping.
fn replaced(layout: &Layout, len: Slot) -> BTreeMap<ExpansionIx, Vec<bool>> {
    let (mut replaced, mut newer) = (BTreeMap::new(), HashMap::<Slot, Newer<'_>>::new());
    let mut end = len;
    // The newest first.
    while let Some(last) = end.checked_sub(1) {
        let ix = layout.position(last).expansion;
        let of = layout.expansion(ix);
        let Some(each) = of.each else { break };
        let newer = newer.entry(each).or_default();
        let is_elsewhere = if let Some(keys) = &of.keys {
            keys.iter().map(|key| !newer.keys.insert(key)).collect()
        } else {
            let widest = newer.widest;
            newer.widest = widest.max(of.width);
            (0..of.width).map(|element| element < widest).collect()
        };
        replaced.insert(ix, is_elsewhere);
        end = of.base;
    }
    replaced
}

/// Whether neither the slot nor a mapping that it lies in is told of elsewhere.
fn is_there(layout: &Layout, replaced: &BTreeMap<ExpansionIx, Vec<bool>>, slot: Slot) -> bool {
    let position = layout.position(slot);
    let is_elsewhere = replaced.get(&position.expansion).and_then(|all| all.get(position.element as usize));
    !is_elsewhere.copied().unwrap_or(false)
        && layout.expansion(position.expansion).each.is_none_or(|each| is_there(layout, replaced, each))
}
