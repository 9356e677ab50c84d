//! The records of a run that goes on with another plan: its nodes have other slots there.
//!
//! Of a plan that has lost nodes, or whose nodes take something else than they did, the records are no longer all of use: those of
//! nodes that are gone are dropped, and so is what was decided of others because of them. That is decided again, by the new plan.

use super::super::ids::Slot;
use super::{Record, Skip};
use crate::plan::Remap;
use std::collections::{HashMap, HashSet};

/// Translates a run's records, and drops those that mean nothing any more.
pub(crate) fn translate<E>(entries: &mut Vec<E>, remap: &Remap, record: impl Fn(&mut E) -> &mut Record) {
    let mut translation = Translation { remap, undecided: HashSet::new(), cleared: HashMap::new() };
    if remap.is_of_removals() {
        for (at, entry) in entries.iter_mut().enumerate() {
            if let Record::Cleared { slots } = record(entry) {
                translation.cleared.extend(slots.iter().map(|slot| (*slot, at)));
            }
        }
    }
    let mut at = 0;
    entries.retain_mut(|entry| {
        let is_kept = translation.translate(record(entry), at);
        at += 1;
        is_kept
    });
}

struct Translation<'a> {
    remap: &'a Remap,
    /// Nodes, by their new slots, that have not ended now, as why they had is gone.
    undecided: HashSet<Slot>,
    /// Which record has undone last what was decided of a node, by its old slot.
    cleared: HashMap<Slot, usize>,
}

impl Translation<'_> {
    /// Translates a record in place. Returns whether it still means something.
    fn translate(&mut self, record: &mut Record, at: usize) -> bool {
        if let Record::Cleared { slots } = record {
            // Also of nobody: a run that had ended goes on with it.
            *slots = slots.iter().filter_map(|slot| self.remap.slot(*slot)).collect();
            return true;
        }
        let Some(old) = record.slot() else { return true };
        let Some(slot) = self.remap.slot(old) else { return false };
        let is_undone = self.cleared.get(&old).is_some_and(|cleared| *cleared > at);
        if !is_undone && !self.holds(slot, record) {
            self.undecided.insert(slot);
            return false;
        }
        // What is undone later may name a node that is gone: then it names itself, which comes to the same.
        record.each_slot(|named| *named = self.remap.slot(*named).unwrap_or(slot));
        true
    }

    /// Whether what was decided of the node, whose new slot that is, does not follow from what is gone or changed.
    fn holds(&self, slot: Slot, record: &Record) -> bool {
        let is_gone = |from: &Slot| self.remap.slot(*from).is_none_or(|from| self.undecided.contains(&from));
        match record {
            Record::UpstreamFailed { cause: from, .. } | Record::Skipped { why: Skip::Upstream(from), .. } => {
                !is_gone(from) && !self.remap.is_changed(slot)
            }
            // Of a gate, and of what a branch decides about.
            Record::Succeeded { output: None, .. } | Record::Skipped { why: Skip::NotTaken, .. } => !self.remap.is_changed(slot),
            // Who no longer wanted it may be gone. It is cut off again where nobody wants it.
            Record::Skipped { why: Skip::CutOff, .. } => !self.remap.is_of_removals(),
            _ => true,
        }
    }
}
