//! Which groups of a run hold their locks: those that have begun and not ended.

use super::super::ids::Slot;
use super::run::Run;
use crate::plan::{HoldingIx, Plan};

/// The progress of a group that holds locks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    /// The group's nodes that have not ended, without those inside mappings.
    open: u32,
    /// A node of the group was started since the group last had none open.
    has_begun: bool,
}

pub(super) fn of_plan(plan: &Plan) -> Box<[Hold]> {
    let open = |holding| plan.holder(holding).nodes().filter(|node| plan.is_held_for(*node)).count();
    let of = |holding| Hold { open: u32::try_from(open(holding)).unwrap_or(u32::MAX), has_begun: false };
    plan.holdings.iter().map(of).collect()
}

impl Run {
    /// True if any group of the plan holds locks while it runs.
    #[inline]
    pub(crate) fn has_locks(&self) -> bool {
        !self.holds.is_empty()
    }

    /// True if a group has begun and not ended: it holds its locks.
    pub(crate) fn is_holding(&self, holding: HoldingIx) -> bool {
        self.holds[holding as usize].has_begun
    }

    /// True if a group has ended, or its run has.
    pub(crate) fn has_let_go(&self, holding: HoldingIx) -> bool {
        self.holds[holding as usize].open == 0 || self.state.is_end()
    }

    #[cold]
    pub(super) fn hold_begun(&mut self, slot: Slot) {
        if let Some(holding) = self.plan().holding_of(self.ix(slot)) {
            self.holds[holding as usize].has_begun = true;
        }
    }

    /// Notes that a node has ended.
    #[cold]
    pub(super) fn hold_ended(&mut self, slot: Slot) {
        if let Some(hold) = self.hold_of(slot) {
            hold.open = hold.open.saturating_sub(1);
            hold.has_begun &= hold.open > 0;
        }
    }

    /// Notes that an ended node is open again.
    #[cold]
    pub(super) fn hold_reopened(&mut self, slot: Slot) {
        if let Some(hold) = self.hold_of(slot) {
            hold.open += 1;
        }
    }

    fn hold_of(&mut self, slot: Slot) -> Option<&mut Hold> {
        let (plan, ix) = (self.plan(), self.ix(slot));
        let holding = plan.holding_of(ix).filter(|_| plan.is_held_for(ix))?;
        self.holds.get_mut(holding as usize)
    }
}
