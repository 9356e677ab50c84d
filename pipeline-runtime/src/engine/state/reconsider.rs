//! What of a run is to be decided again, where it goes on with a plan that has lost nodes or whose nodes take something else.
//!
//! A task that was skipped, or is `upstream_failed`, because of a node that is gone runs after all, if its other inputs let it. More is
//! not done: what a race, a branch or a mapping came to rests on all that they took, and others have gone on from it. A run that would
//! need that decided again has come too far, and is refused.

use super::super::ids::Slot;
use super::super::log::{Record, Skip, follows_from, last_cleared};
use super::layout::Layout;
use crate::plan::{NodeIx, Plan, Remap};
use std::collections::{HashMap, HashSet};

/// What the last word about a node is, where it is not its own.
struct Decided {
    /// By which record.
    at: usize,
    slot: Slot,
    ix: NodeIx,
    by: By,
}

enum By {
    /// A task was skipped or is `upstream_failed` because of one node, which may be gone.
    Upstream { from: Option<Slot> },
    /// What a race, a branch or a mapping came to, and whether that follows from a node that is gone.
    Gate { of_gone: bool },
    /// Nobody wanted it any more.
    CutOff,
}

/// The nodes, by their slots in the new plan, that are decided again; or the one for which that cannot be. The records are those of the old
/// plan.
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
            // Whoever reads the record says what is wrong with it.
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
    // What follows from something is recorded after it, so one look at each is enough.
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
    // Who takes something else now, or runs after all, may want what nobody wanted.
    let wants = |ix: &NodeIx| nodes.contains(ix) || is_changed(*ix);
    let all = (0..).zip(&plan.nodes).map(|(ix, _)| ix);
    let wanted: HashSet<NodeIx> = all.filter(wants).flat_map(|ix| plan.upstreams(ix).collect::<Vec<_>>()).collect();
    let refused = decided.iter().filter(|of| match of.by {
        By::CutOff => wanted.contains(&of.ix),
        By::Upstream { .. } => reopened.contains(&of.slot) && plan.node(of.ix).scope != 0,
        By::Gate { of_gone } => of_gone || is_changed(of.ix) || takes_reopened(of.ix),
    });
    // The first of them that is one by itself.
    match refused.min_by_key(|of| (matches!(of.by, By::CutOff), of.slot)) {
        Some(of) => Err(layout.id(plan, of.slot)),
        None => Ok(reopened.into_iter().collect()),
    }
}
