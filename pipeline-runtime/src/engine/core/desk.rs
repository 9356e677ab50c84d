use super::super::record::{Entry, Output, Record, Slot};
use super::pools::{CorePool, Pools};
use super::run::{Run, RunIx};
use super::timers::{Due, Timers};
use super::{Action, Job, Outbox};
use crate::author::value::Value;
use crate::plan::Policy;
use crate::time::Timestamp;
use std::sync::Arc;

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
    pub(super) fn record(&mut self, record: Record) {
        let entry = Entry { at: self.now, record };
        self.run.apply(&entry);
        self.out.records.push(self.ix, entry);
    }

    /// The same for what happens to every node.
    #[inline]
    fn record_start(&mut self, slot: Slot, attempt: u32) {
        self.run.started(slot, attempt, self.now);
        self.out.records.started(self.ix, self.now, slot, attempt);
    }

    /// The same for what happens to most nodes.
    #[inline]
    pub(super) fn record_success(&mut self, slot: Slot, value: Value, json: Option<Arc<[u8]>>) {
        if json.is_some() {
            return self.record(Record::Succeeded { slot, output: Some(Output { value, json }) });
        }
        self.run.succeeded(slot, &value);
        self.out.records.succeeded(self.ix, self.now, slot, value);
    }

    #[inline]
    pub(super) fn act(&mut self, action: Action) {
        self.out.todo.actions.push(action);
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
        match self.pools_of_plan {
            [only] => *only,
            several => several[self.policy(slot).pool as usize],
        }
    }

    /// The one node that became ready: it is started at once where its pool has a slot and nobody who waits for it.
    #[inline]
    pub(super) fn start_or_queue(&mut self, slot: Slot) {
        if !self.run.node(slot).waits_for_slot && self.pools.take(self.pool(slot)) {
            self.run.node_mut(slot).holds_slot = true;
            self.start(slot);
        } else {
            self.queue(slot);
        }
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
        self.record_start(slot, attempt);
        let limit = self.policy(slot).limit;
        let node = self.run.node_mut(slot);
        node.in_flight = true;
        node.overdue = false;
        node.changed = false;
        let start = node.starts;
        if let Some(limit) = limit {
            self.timer(self.now + limit, Due::Limit(slot, start));
        }
        self.out.todo.starts.push(Job { run: self.ix, slot, start });
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
            self.act(Action::Abort(Job { run: self.ix, slot, start }));
        } else {
            self.release(slot);
        }
    }
}
