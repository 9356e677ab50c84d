//! Which decisions about a run are made again, when it is resumed with a plan that has lost nodes or whose nodes take other
//! inputs.
//!
//! A task that was skipped or is `upstream_failed` because of a removed node runs after all, if its other inputs allow it.
//! Nothing else is decided again: the result of a race, a branch or a mapping rests on all its inputs, and other nodes have
//! already used it. A run that would need such a decision again has come too far, and is refused.

use super::super::ids::Slot;
use super::super::log::{Record, Skip, follows_from, last_cleared};
use super::layout::Layout;
use crate::plan::{NodeIx, Plan, Remap};
use std::collections::{HashMap, HashSet};

/// The latest decision about a node, if the node's own body did not make it.
struct Decided {
    /// The index of its record.
    at: usize,
    slot: Slot,
    ix: NodeIx,
    by: By,
}

enum By {
    /// A task was skipped or is `upstream_failed` because of one node; `None` if that node was removed.
    Upstream { from: Option<Slot> },
    /// The result of a race, a branch or a mapping, and whether it follows from a removed node.
    Gate { of_gone: bool },
    /// No consumer wanted the node any more.
    CutOff,
}

/// Returns the nodes that are decided again, by their slots in the new plan; or the id of a node for which that is impossible.
/// The records are those of the old plan.
pub(crate) fn reconsider(plan: &Plan, remap: &Remap, records: &[&Record]) -> Result<Vec<Slot>, String> {
    let cleared = last_cleared(records.iter().copied());
    let mut layout = Layout::new(plan);
    let mut decided: HashMap<Slot, Decided> = HashMap::new();
    for (at, record) in records.iter().copied().enumerate() {
        let Some(old) = record.slot() else { continue };
        let Some(slot) = remap.slot(old) else { continue };
        if let (Record::Unfolded { width, keys, .. }, Some(each)) = (record, layout.each(plan, slot)) {
            layout.unfold(plan, slot, each.scope, *width, keys.clone());
        }
        if slot as usize >= layout.len() {
            // The reader of the record reports what is wrong with it.
            continue;
        }
        let ix = layout.node(plan, slot);
        let is_task = plan.node(ix).is_body();
        let by = match record {
            _ if cleared.get(&old).is_some_and(|cleared| *cleared > at) => continue,
            Record::Skipped { why: Skip::CutOff, .. } => By::CutOff,
            record if is_task => match follows_from(record) {
                Some(from) => By::Upstream { from: remap.slot(from) },
                None => continue,
            },
            Record::Succeeded { .. } | Record::Skipped { .. } | Record::UpstreamFailed { .. } | Record::Unfolded { .. } => {
                By::Gate { of_gone: follows_from(record).is_some_and(|from| remap.slot(from).is_none()) }
            }
            _ => continue,
        };
        decided.insert(slot, Decided { at, slot, ix, by });
    }
    // A consequence is recorded after its cause, so one pass is enough.
    let mut decided: Vec<Decided> = decided.into_values().collect();
    decided.sort_unstable_by_key(|of| of.at);
    let mut reopened: HashSet<Slot> = HashSet::new();
    // Only nodes outside of mappings may be changed.
    let is_changed = |ix: NodeIx| plan.node(ix).scope == 0 && remap.is_changed(plan.node(ix).offset);
    for of in &decided {
        let By::Upstream { from } = of.by else { continue };
        if from.is_none_or(|from| reopened.contains(&from)) || is_changed(of.ix) {
            reopened.insert(of.slot);
        }
    }
    let nodes: HashSet<NodeIx> = reopened.iter().map(|slot| layout.node(plan, *slot)).collect();
    let takes_reopened = |ix: NodeIx| plan.upstreams(ix).any(|from| nodes.contains(&from));
    // A node that takes other inputs now, or runs after all, may want a node that no consumer wanted before.
    let wants = |ix: &NodeIx| nodes.contains(ix) || is_changed(*ix);
    let all = (0..).zip(&plan.nodes).map(|(ix, _)| ix);
    let wanted: HashSet<NodeIx> = all.filter(wants).flat_map(|ix| plan.upstreams(ix).collect::<Vec<_>>()).collect();
    let refused = decided.iter().filter(|of| match of.by {
        By::CutOff => wanted.contains(&of.ix),
        By::Upstream { .. } => reopened.contains(&of.slot) && plan.node(of.ix).scope != 0,
        By::Gate { of_gone } => of_gone || is_changed(of.ix) || takes_reopened(of.ix),
    });
    // A node that was only cut off is named last.
    match refused.min_by_key(|of| (matches!(of.by, By::CutOff), of.slot)) {
        Some(of) => Err(layout.id(plan, of.slot)),
        None => Ok(reopened.into_iter().collect()),
    }
}
