use super::super::record::{Entry, Record, Slot};
use super::pools::{CorePool, Pools};
use super::run::{Run, RunIx};
use super::timers::{Due, Timers};
use super::{Action, Outbox};
use crate::plan::Policy;
use crate::time::Timestamp;

/// One run with all that is needed to work on it, at one time.
pub(super) struct Desk<'a> {
    pub(super) run: &'a mut Run,
    pub(super) ix: RunIx,
    pub(super) now: Timestamp,
    pub(super) pools_of_plan: &'a [CorePool],
    pub(super) pools: &'a mut Pools,
    pub(super) timers: &'a mut Timers,
    pub(super) out: &'a mut Outbox,
}

impl Desk<'_> {
    /// Records what happened. The run's state follows from the record, and from nothing else.
    #[inline]
    pub(super) fn record(&mut self, record: Record) {
        let entry = Entry { at: self.now, record };
        self.run.apply(&entry);
        self.out.records.push((self.ix, entry));
    }

    #[inline]
    pub(super) fn act(&mut self, action: Action) {
        self.out.actions.push(action);
    }

    pub(super) fn timer(&mut self, at: Timestamp, due: Due) {
        self.timers.set(at, self.ix, due);
    }

    #[inline]
    pub(super) fn policy(&self, slot: Slot) -> &Policy {
        self.run.spec.plan.policy(self.run.ix(slot))
    }

    #[inline]
    fn pool(&self, slot: Slot) -> CorePool {
        self.pools_of_plan[self.policy(slot).pool as usize]
    }

    /// Asks for a slot of the node's pool.
    #[inline]
    pub(super) fn queue(&mut self, slot: Slot) {
        let (pool, priority) = (self.pool(slot), self.policy(slot).priority);
        let node = self.run.node_mut(slot);
        if !node.waits_for_slot {
            node.waits_for_slot = true;
            self.pools.wait(pool, priority, self.ix, slot);
        }
    }

    /// A slot is there. Says whether it was taken.
    #[inline]
    pub(super) fn granted(&mut self, slot: Slot) -> bool {
        let node = self.run.node_mut(slot);
        // The node may have ended while it waited; its place in the queue is then a stale one.
        if !std::mem::take(&mut node.waits_for_slot) || node.state.is_end() {
            return false;
        }
        node.holds_slot = true;
        self.start(slot);
        true
    }

    #[inline]
    pub(super) fn start(&mut self, slot: Slot) {
        let attempt = self.run.node(slot).attempt();
        self.record(Record::Started { slot, attempt });
        let limit = self.policy(slot).limit;
        let node = self.run.node_mut(slot);
        node.in_flight = true;
        node.overdue = false;
        node.changed = false;
        let start = node.starts;
        if let Some(limit) = limit {
            self.timer(self.now + limit, Due::Limit(slot, start));
        }
        self.act(Action::Start { run: self.ix, slot, start });
    }

    /// Gives the node's slot back to its pool, if it holds one.
    #[inline]
    pub(super) fn release(&mut self, slot: Slot) {
        if std::mem::take(&mut self.run.node_mut(slot).holds_slot) {
            self.pools.release(self.pool(slot));
        }
    }

    /// Cuts an attempt off. Its slot stays taken until it is answered.
    pub(super) fn abort(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        if node.in_flight {
            let start = node.starts;
            self.act(Action::Abort { run: self.ix, slot, start });
        } else {
            self.release(slot);
        }
    }
}
