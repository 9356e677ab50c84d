//! The records of a run that is resumed with another plan, in which its nodes have other slots.
//!
//! Where the plan has lost nodes, or nodes take other inputs than before, the records of removed nodes are dropped. A record that
//! a node was skipped or is `upstream_failed` is dropped too if it followed from a removed node: the new plan decides it again.

use super::super::ids::Slot;
use super::{Record, Skip};
use crate::plan::Remap;
use std::collections::HashMap;

/// Translates a run's records, and drops those that no longer apply.
pub(crate) fn translate<E>(entries: &mut Vec<E>, remap: &Remap, record: impl Fn(&mut E) -> &mut Record) {
    let cleared = last_cleared(entries.iter_mut().map(|entry| &*record(entry)));
    let mut at = 0;
    entries.retain_mut(|entry| {
        let is_kept = is_translated(record(entry), at, remap, &cleared);
        at += 1;
        is_kept
    });
}

/// Returns, for each cleared slot, the index of the last record that cleared it.
pub(crate) fn last_cleared<'a>(records: impl Iterator<Item = &'a Record>) -> HashMap<Slot, usize> {
    let mut cleared = HashMap::new();
    for (at, record) in records.enumerate() {
        if let Record::Cleared { slots } = record {
            cleared.extend(slots.iter().map(|slot| (*slot, at)));
        }
    }
    cleared
}

/// Translates a record in place. Returns whether it still applies.
fn is_translated(record: &mut Record, at: usize, remap: &Remap, cleared: &HashMap<Slot, usize>) -> bool {
    if let Record::Cleared { slots } = record {
        // Stored even if no node is left in it: it reopens a run that had ended.
        *slots = slots.iter().filter_map(|slot| remap.slot(*slot)).collect();
        return true;
    }
    let Some(old) = record.slot() else { return true };
    let Some(slot) = remap.slot(old) else { return false };
    let is_undone = cleared.get(&old).is_some_and(|cleared| *cleared > at);
    if !is_undone && remap.is_reopened(slot) && follows_from(record).is_some() {
        return false;
    }
    // A record that is undone later may name a removed node. It then names its own node instead, which makes no difference.
    record.each_slot(|named| *named = remap.slot(*named).unwrap_or(slot));
    true
}

/// Returns the node that a decision about another node follows from.
pub(crate) fn follows_from(record: &Record) -> Option<Slot> {
    match record {
        Record::UpstreamFailed { cause: from, .. } | Record::Skipped { why: Skip::Upstream(from), .. } => Some(*from),
        _ => None,
    }
}
