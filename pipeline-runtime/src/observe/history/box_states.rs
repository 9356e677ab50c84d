//! The states of the boxes of a drawn plan.

use super::RunHistory;
use crate::engine::{NodeState, Slot};
use crate::plan::NodeIx;
use std::collections::HashMap;

impl RunHistory {
    /// Returns the state of each box of a drawn plan. For an unfinished mapping it is the most important state of its elements.
    pub(crate) fn states_of(&self, boxes: &[NodeIx]) -> Vec<Option<NodeState>> {
        let mut slot_of: HashMap<NodeIx, Slot> = HashMap::new();
        let mut inside: HashMap<Slot, NodeState> = HashMap::new();
        for range in self.ranges() {
            match self.outermost(range.start) {
                None => slot_of.extend(range.map(|slot| (self.node_ix(slot), slot))),
                Some(each) => self.each_body_of(range, |slot, _| {
                    let state = self.node(slot).state();
                    let worst = inside.entry(each).or_insert(state);
                    if rank(state) < rank(*worst) {
                        *worst = state;
                    }
                }),
            }
        }
        let state = |ix: &NodeIx| {
            let slot = slot_of.get(ix)?;
            let own = self.node(*slot).state();
            Some(if own.is_end() { own } else { inside.get(slot).copied().unwrap_or(own) })
        };
        boxes.iter().map(state).collect()
    }

    /// Returns the mapping of the plan itself whose elements contain the node.
    pub(crate) fn outermost(&self, slot: Slot) -> Option<Slot> {
        let mut each = self.mapping_of(slot)?;
        while let Some(outer) = self.mapping_of(each) {
            each = outer;
        }
        Some(each)
    }
}

/// Ranks states by how much they need attention.
pub(crate) fn rank(state: NodeState) -> u8 {
    match state {
        NodeState::Failed => 0,
        NodeState::UpForRetry => 1,
        NodeState::Running => 2,
        NodeState::UpForReschedule => 3,
        NodeState::Queued | NodeState::Scheduled => 4,
        NodeState::UpstreamFailed => 5,
        NodeState::None => 6,
        NodeState::Skipped => 7,
        NodeState::Success => 8,
        NodeState::Removed => 9,
    }
}
