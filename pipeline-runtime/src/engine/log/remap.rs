//! The records of a run that goes on with another plan: its nodes have other slots there.
//!
//! Where the plan has lost nodes, or nodes take something else than they did, the records of nodes that are gone are dropped. So is that
//! a node was skipped or is `upstream_failed`, where that followed from what is gone: it is decided again, by the new plan.

use super::super::ids::Slot;
use super::{Record, Skip};
use crate::plan::Remap;
use std::collections::HashMap;

/// Translates a run's records, and drops those that mean nothing any more.
pub(crate) fn translate<E>(entries: &mut Vec<E>, remap: &Remap, record: impl Fn(&mut E) -> &mut Record) {
    let cleared = last_cleared(entries.iter_mut().map(|entry| &*record(entry)));
    let mut at = 0;
    entries.retain_mut(|entry| {
        let is_kept = is_translated(record(entry), at, remap, &cleared);
        at += 1;
        is_kept
    });
}

/// Which record has undone last what was decided of a node, by its slot.
pub(crate) fn last_cleared<'a>(records: impl Iterator<Item = &'a Record>) -> HashMap<Slot, usize> {
    let mut cleared = HashMap::new();
    for (at, record) in records.enumerate() {
        if let Record::Cleared { slots } = record {
            cleared.extend(slots.iter().map(|slot| (*slot, at)));
        }
    }
    cleared
}

/// Translates a record in place. Returns whether it still means something.
fn is_translated(record: &mut Record, at: usize, remap: &Remap, cleared: &HashMap<Slot, usize>) -> bool {
    if let Record::Cleared { slots } = record {
        // Also of nobody: a run that had ended goes on with it.
        *slots = slots.iter().filter_map(|slot| remap.slot(*slot)).collect();
        return true;
    }
    let Some(old) = record.slot() else { return true };
    let Some(slot) = remap.slot(old) else { return false };
    let is_undone = cleared.get(&old).is_some_and(|cleared| *cleared > at);
    if !is_undone && remap.is_reopened(slot) && follows_from(record).is_some() {
        return false;
    }
    // What is undone later may name a node that is gone: then it names itself, which comes to the same.
    record.each_slot(|named| *named = remap.slot(*named).unwrap_or(slot));
    true
}

/// The node that a decision about another follows from.
pub(crate) fn follows_from(record: &Record) -> Option<Slot> {
    match record {
        Record::UpstreamFailed { cause: from, .. } | Record::Skipped { why: Skip::Upstream(from), .. } => Some(*from),
        _ => None,
    }
}
