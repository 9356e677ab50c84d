//! Selects the slots of a run that are listed: each node once, and each element once.
//!
//! A list that is rebuilt after a retry gets new slots. Elements in both lists are listed at their new slots. Elements of only an
//! older list were removed; they are listed at their old slots, unless a later list has an element with their key (or with their
//! index, if there are no keys).

use crate::engine::{ExpansionIx, Layout, Slot};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Returns the slots to list, in wiring order, elements after the plan's own nodes. Elements of one mapping are adjacent, by
/// index. Each range consists of whole elements of one list.
pub(super) fn ranges(layout: &Layout) -> Vec<Range<Slot>> {
    let lists = lists(layout);
    let replaced = replaced(layout, &lists);
    let own = lists.last().map_or(layout.len(), |(ix, _)| layout.expansion(*ix).base as usize);
    let mut elements = Vec::new();
    for &(ix, each) in lists.iter().rev().filter(|(_, each)| is_listed(layout, &replaced, *each)) {
        let of = layout.expansion(ix);
        let newest = layout.of_each(each).unwrap_or(ix);
        match replaced.get(&ix) {
            None => elements.push((newest, 0, of.base..of.base + of.width * of.stride)),
            Some(is_elsewhere) => {
                let here = (0..of.width).zip(is_elsewhere).filter(|(_, is_elsewhere)| !**is_elsewhere);
                let first = |element| of.base + element * of.stride;
                elements.extend(here.map(|(element, _)| (newest, element, first(element)..first(element) + of.stride)));
            }
        }
    }
    elements.sort_unstable_by_key(|(newest, element, slots)| (*newest, *element, slots.start));
    let own = 0..u32::try_from(own).unwrap_or(u32::MAX);
    std::iter::once(own).chain(elements.into_iter().map(|(.., slots)| slots)).filter(|slots| !slots.is_empty()).collect()
}

/// Returns all lists with their mappings, newest first.
fn lists(layout: &Layout) -> Vec<(ExpansionIx, Slot)> {
    let mut lists = Vec::new();
    let mut end = u32::try_from(layout.len()).unwrap_or(u32::MAX);
    while let Some(last) = end.checked_sub(1) {
        let ix = layout.position(last).expansion;
        let of = layout.expansion(ix);
        let Some(each) = of.each else { break };
        lists.push((ix, each));
        end = of.base;
    }
    lists
}

/// The keys or indexes of elements in newer lists of one mapping.
#[derive(Default)]
struct NewerElements<'a> {
    /// For lists without keys: the length of the longest.
    widest: u32,
    keys: HashSet<&'a str>,
}

/// Returns, for each list of a mapping with several, which of its elements are also in a newer one.
fn replaced(layout: &Layout, lists: &[(ExpansionIx, Slot)]) -> BTreeMap<ExpansionIx, Vec<bool>> {
    let mut count = HashMap::<Slot, u32>::new();
    for (_, each) in lists {
        *count.entry(*each).or_default() += 1;
    }
    let (mut replaced, mut newer) = (BTreeMap::new(), HashMap::<Slot, NewerElements<'_>>::new());
    for &(ix, each) in lists.iter().filter(|(_, each)| count[each] > 1) {
        let of = layout.expansion(ix);
        let newer = newer.entry(each).or_default();
        let is_elsewhere = if let Some(keys) = &of.keys {
            keys.iter().map(|key| !newer.keys.insert(key)).collect()
        } else {
            let widest = newer.widest;
            newer.widest = widest.max(of.width);
            (0..of.width).map(|element| element < widest).collect()
        };
        replaced.insert(ix, is_elsewhere);
    }
    replaced
}

/// True if neither the slot nor a mapping that contains it is listed elsewhere.
fn is_listed(layout: &Layout, replaced: &BTreeMap<ExpansionIx, Vec<bool>>, slot: Slot) -> bool {
    let position = layout.position(slot);
    let is_elsewhere = replaced.get(&position.expansion).and_then(|all| all.get(position.element as usize));
    !is_elsewhere.copied().unwrap_or(false)
        && layout.expansion(position.expansion).each.is_none_or(|each| is_listed(layout, replaced, each))
}
