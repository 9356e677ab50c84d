//! Locks: a group holds its locks from its first node to its last.
//!
//! A node asks for them before it asks for a permit of its pool, so that no node keeps a permit while it waits for a lock.

use super::super::ids::Slot;
use super::RunContext;
use crate::plan::HoldingIx;

impl RunContext<'_> {
    /// True if a ready node may ask its pool for a permit. Otherwise its group waits for its locks, and the node with it.
    #[inline]
    pub(super) fn has_locks(&mut self, slot: Slot) -> bool {
        !self.run.has_locks() || self.ask_for_locks(slot)
    }

    #[cold]
    fn ask_for_locks(&mut self, slot: Slot) -> bool {
        let plan = self.run.plan();
        let Some(holding) = plan.holding_of(self.run.ix(slot)) else { return true };
        if self.shared.locks.holds((self.ix, holding)) {
            return true;
        }
        if !std::mem::replace(&mut self.work[slot as usize].awaits_lock, true) {
            self.shared.locks.ask((self.ix, holding), &plan.holdings[holding as usize].locks, slot);
        }
        false
    }

    /// The nodes' group has its locks. Returns whether any of the nodes still needs them.
    pub(crate) fn locks_granted(&mut self, nodes: &[Slot]) -> bool {
        let mut is_used = false;
        for &slot in nodes {
            self.work[slot as usize].awaits_lock = false;
            if self.is_scheduled(slot) {
                self.queue(slot);
                is_used = true;
            }
        }
        is_used
    }

    /// Takes up the locks that groups hold by the run's state.
    pub(super) fn take_up_locks(&mut self) {
        for (holding, of) in (0..).zip(&self.run.plan().holdings) {
            if self.run.is_holding(holding) {
                self.shared.locks.take_up((self.ix, holding), &of.locks);
            }
        }
    }

    /// Releases the locks of groups that have ended, unless an attempt that was cut off still uses them: a blocking body runs
    /// until it returns, and its answer leads here again. Also releases those of groups that have not begun and have no ready
    /// node any more, because the nodes were skipped or nodes before them are retried.
    pub(crate) fn release_locks(&mut self) {
        for (holding, _) in (0..).zip(&self.run.plan().holdings) {
            let holder = (self.ix, holding);
            if self.shared.locks.holds(holder)
                && (self.run.has_let_go(holding) || !(self.run.is_holding(holding) || self.is_about_to_begin(holding)))
                && !self.is_in_use(holding)
            {
                self.shared.locks.release(holder);
            }
        }
    }

    /// True if a node of the group waits only for a slot of its pool.
    fn is_about_to_begin(&self, holding: HoldingIx) -> bool {
        let plan = self.run.plan();
        let group = plan.holder(&plan.holdings[holding as usize]);
        self.run.slots().any(|slot| group.has(self.run.ix(slot)) && self.is_scheduled(slot))
    }

    /// True if an attempt that was cut off still runs in that group. No other attempt can be under way there.
    fn is_in_use(&self, holding: HoldingIx) -> bool {
        let plan = self.run.plan();
        let group = plan.holder(&plan.holdings[holding as usize]);
        self.shared.in_flight.cut_off_of(self.ix).any(|slot| group.has(self.run.ix(slot)))
    }
}
