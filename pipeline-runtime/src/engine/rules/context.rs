use super::super::effects::{Action, Outbox};
use super::super::execution::{CorePool, Delivery, Due, InFlight, Locks, NodeWork, Permit, Pools, Timers, Work, Worklist};
use super::super::ids::{Job, RunIx, Slot};
use super::super::log::{Entry, Output, Record};
use super::super::state::{Changes, Conclusion, ExpansionIx, Run};
use super::super::states::NodeState;
use super::mapping::Looks;
use crate::author::options::Mode;
use crate::author::value::Value;
use crate::plan::Policy;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// One run with all that a rule needs to decide about it, at one time.
pub(crate) struct RunContext<'a> {
    pub(crate) run: &'a mut Run,
    pub(crate) ix: RunIx,
    pub(crate) now: Timestamp,
    pub(crate) work: &'a mut Vec<NodeWork>,
    pub(crate) delivery: &'a mut Delivery,
    /// Attempts of this run in flight.
    pub(crate) busy: &'a mut usize,
    /// Where its plan's pools are in the core.
    pub(crate) pools_of_plan: &'a [CorePool],
    pub(crate) shared: &'a mut Shared,
}

/// What all runs of a core share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    pub(crate) locks: Locks,
    pub(crate) timers: Timers,
    pub(crate) in_flight: InFlight,
    /// The permits that sensors in mode `poke` keep between two pokes.
    pub(crate) kept_permits: HashMap<(RunIx, Slot), Permit>,
    /// Pokes that asked for a permit in this call: those that get none are limited.
    pub(crate) without_permit: Vec<(RunIx, Slot)>,
    /// The mappings whose lists are looked at.
    pub(crate) looks: Looks,
    /// Of the run that is being decided about; empty between two calls.
    pub(crate) worklist: Worklist,
    pub(crate) out: Outbox,
    /// After each decision the worklist is compared with one that is derived.
    #[cfg(test)]
    pub(crate) compares_worklists: bool,
}

/// Hears what a record changed.
struct Heard<'a> {
    worklist: &'a mut Worklist,
    work: &'a mut Vec<NodeWork>,
    in_flight: &'a mut InFlight,
    garbage: &'a mut Vec<Value>,
}

impl Changes for Heard<'_> {
    #[inline]
    fn ready(&mut self, node: Slot) {
        self.worklist.ready(node);
    }

    #[inline]
    fn concluded(&mut self, rank: u32, node: Slot, conclusion: Conclusion) {
        self.worklist.concluded(rank, node, conclusion);
    }

    #[inline]
    fn freed(&mut self, mapping: ExpansionIx) {
        self.worklist.freed(mapping);
    }

    #[inline]
    fn released(&mut self, node: Slot) {
        self.worklist.released(node);
    }

    fn moved(&mut self, from: Slot, to: Slot) {
        let last = from.max(to) as usize;
        if self.work.len() <= last {
            self.work.resize(last + 1, NodeWork::default());
        }
        // What stands in its pool's queue stays there under its old place, where it is found to be gone.
        let moved = self.work[from as usize].move_away();
        self.work[to as usize] = moved;
        if let Some(attempt) = moved.attempt() {
            self.in_flight.moved(attempt, to);
        }
    }

    fn dropped(&mut self, value: Value) {
        self.garbage.push(value);
    }
}

impl RunContext<'_> {
    /// Records what happened. The run's state follows from the record, and from nothing else.
    pub(super) fn record(&mut self, record: Record) {
        debug_assert_eq!(self.run.check(&record), Ok(()), "{record:?}");
        let entry = Entry { at: self.now, record };
        let Shared { worklist, in_flight, out, .. } = &mut *self.shared;
        let garbage = &mut out.garbage.values;
        let mut heard = Heard { worklist, work: self.work, in_flight, garbage };
        self.run.apply(&entry, &mut heard);
        if let Record::Unfolded { .. } = entry.record {
            self.work.resize(self.run.nodes().len(), NodeWork::default());
        }
        self.shared.out.records.push(self.ix, entry);
    }

    /// The same for what happens to every node.
    #[inline]
    fn record_start(&mut self, slot: Slot, attempt: u32) {
        debug_assert_eq!(self.run.check(&Record::Started { slot, attempt }), Ok(()));
        self.run.node_started(slot, attempt, self.now);
        self.shared.out.records.started(self.ix, self.now, slot, attempt);
    }

    /// The same for what happens to most nodes.
    #[inline]
    pub(super) fn record_success(&mut self, slot: Slot, value: Value, json: Option<Arc<[u8]>>) {
        if json.is_some() {
            return self.record(Record::Succeeded { slot, output: Some(Output { value, json }) });
        }
        let Shared { worklist, in_flight, out, .. } = &mut *self.shared;
        let garbage = &mut out.garbage.values;
        let mut heard = Heard { worklist, work: self.work, in_flight, garbage };
        self.run.succeeded(slot, &value, &mut heard);
        self.shared.out.records.succeeded(self.ix, self.now, slot, value);
    }

    /// The work heard of is the work that follows from the state.
    #[cfg(test)]
    fn compare_worklists(&self) {
        if !self.shared.compares_worklists || self.run.state().is_end() {
            return;
        }
        // What has asked for a permit or for a look at its list, waits for a lock, or is in flight, is no longer in the worklist.
        let waits = |work: &NodeWork| work.queued || work.awaits_lock;
        let is_asked = |slot: Slot| waits(&self.work[slot as usize]) || self.shared.looks.has(self.ix, slot);
        let is_in_hand = |slot: Slot| is_asked(slot) || self.is_in_flight(slot);
        let heard = self.shared.worklist.normal_form(self.run, is_in_hand);
        let derived = Worklist::derive(self.run).normal_form(self.run, is_in_hand);
        assert_eq!(heard, derived, "the work heard of is not the work that follows from the state");
    }

    #[inline]
    pub(super) fn act(&mut self, action: Action) {
        self.shared.out.todo.actions.push(action);
    }

    pub(super) fn timer(&mut self, at: Timestamp, due: Due) {
        self.shared.timers.set(at, self.ix, due);
    }

    #[inline]
    pub(super) fn policy(&self, slot: Slot) -> &Policy {
        self.run.plan().policy(self.run.ix(slot))
    }

    /// Decides all that follows, and starts what may start.
    pub(crate) fn decide(&mut self) {
        if self.run.state().is_end() {
            return self.shared.worklist.clear();
        }
        loop {
            #[cfg(test)]
            self.compare_worklists();
            if !self.shared.worklist.is_decided() {
                match self.shared.worklist.next() {
                    Some(Work::Conclude(slot, conclusion)) => self.conclude(slot, conclusion),
                    Some(Work::CutOff(slot)) => self.cut_off_unwanted(slot),
                    Some(Work::Activate(expansion)) => self.activate(expansion),
                    None => {}
                }
                continue;
            }
            if !self.shared.worklist.has_ready() {
                break;
            }
            if let Some(only) = self.shared.worklist.take_only_ready() {
                if self.is_scheduled(only) && self.has_locks(only) {
                    self.start_or_queue(only);
                }
                continue;
            }
            let ready = self.shared.worklist.take_ready();
            // Of several the pool says which is first.
            for &slot in &ready {
                if self.is_scheduled(slot) && self.has_locks(slot) {
                    self.queue(slot);
                }
            }
            self.shared.worklist.reuse(ready);
        }
        if self.run.open() == 0 {
            self.come_to_end();
        }
    }

    #[inline]
    pub(super) fn is_scheduled(&self, slot: Slot) -> bool {
        self.run.node(slot).state() == NodeState::Scheduled
    }

    // ---- permits

    #[inline]
    fn pool(&self, slot: Slot) -> CorePool {
        match self.pools_of_plan {
            [only] => *only,
            several => several[self.policy(slot).pool as usize],
        }
    }

    /// The one node that became ready: it is started at once where its pool has a permit and no node that waits for one.
    #[inline]
    fn start_or_queue(&mut self, slot: Slot) {
        let pool = self.pool(slot);
        let work = &self.work[slot as usize];
        if work.queued || work.attempt().is_some() {
            return self.queue(slot);
        }
        match self.shared.pools.take(pool) {
            Some(permit) => self.start(slot, permit),
            None => self.queue(slot),
        }
    }

    /// Asks for a permit of the node's pool, once the node's last attempt has given its thread back.
    #[inline]
    pub(super) fn queue(&mut self, slot: Slot) {
        let (pool, priority) = (self.pool(slot), self.policy(slot).priority);
        let work = &mut self.work[slot as usize];
        if let Some(attempt) = work.attempt() {
            return self.shared.in_flight.overdue(attempt, true);
        }
        if !work.queued {
            work.queued = true;
            self.shared.pools.wait(pool, priority, self.ix, slot);
        }
    }

    /// There is a permit for a node that asked for one, and starts if it has not been started yet: nothing follows from that, which would
    /// have to be decided. Else the permit is returned.
    #[inline]
    pub(crate) fn start_granted(&mut self, slot: Slot, permit: Permit) -> Option<Permit> {
        if !self.is_scheduled(slot) || !self.run.is_body(slot) {
            return Some(permit);
        }
        self.work[slot as usize].queued = false;
        self.start(slot, permit);
        None
    }

    /// There is a permit for a node that asked for one, and has been started before. It is returned if the node has no use for it any
    /// more.
    pub(crate) fn granted(&mut self, slot: Slot, permit: Permit) -> Option<Permit> {
        self.work[slot as usize].queued = false;
        if !self.run.node(slot).awaits_next() {
            return Some(permit);
        }
        if self.is_past_deadline(slot) {
            self.end_wait(slot);
            return Some(permit);
        }
        let is_due = self.run.node(slot).next().is_some_and(|next| next <= self.now);
        if is_due || self.work[slot as usize].changed {
            self.start(slot, permit);
            return None;
        }
        if self.run.node(slot).state() == NodeState::Running {
            // A sensor in mode `poke`, resumed: it has its permit again before its next poke.
            self.shared.kept_permits.insert((self.ix, slot), permit);
            return None;
        }
        Some(permit)
    }

    #[inline]
    pub(super) fn start(&mut self, slot: Slot, permit: Permit) {
        let attempt = self.run.node(slot).attempt();
        self.record_start(slot, attempt);
        let node = self.run.node(slot);
        let limit = if node.is_plain() { None } else { self.policy(slot).limit };
        let start = node.starts();
        let job = self.shared.in_flight.begin(self.ix, slot, start, permit);
        *self.busy += 1;
        let work = &mut self.work[slot as usize];
        work.set_attempt(Some(job.attempt));
        work.changed = false;
        (work.grace, work.unserved) = (false, false);
        if let Some(limit) = limit {
            self.timer(self.now + limit, Due::Limit(slot, start));
        }
        self.shared.out.todo.starts.push_back(job);
    }

    /// The permit that a sensor in mode `poke` keeps between two pokes.
    pub(super) fn take_kept_permit(&mut self, slot: Slot) -> Option<Permit> {
        if self.shared.kept_permits.is_empty() {
            return None;
        }
        self.shared.kept_permits.remove(&(self.ix, slot))
    }

    pub(super) fn keep_permit(&mut self, slot: Slot, permit: Permit) {
        self.shared.kept_permits.insert((self.ix, slot), permit);
    }

    #[inline]
    pub(super) fn release(&mut self, permit: Permit) {
        self.shared.pools.release(permit);
    }

    /// Whether a sensor keeps its permit between two pokes.
    pub(super) fn keeps_permit(&self, slot: Slot) -> bool {
        self.policy(slot).sensor.as_ref().is_some_and(|sensor| sensor.mode == Mode::Poke)
    }

    /// Cuts off what is under way of a node. Its attempt keeps its permit until it is answered.
    pub(super) fn abort(&mut self, slot: Slot) {
        if let Some(attempt) = self.work[slot as usize].attempt() {
            self.shared.in_flight.overdue(attempt, false);
            if let Some(job) = self.shared.in_flight.cut_off(attempt) {
                self.act(Action::Abort(job));
            }
        } else if let Some(permit) = self.take_kept_permit(slot) {
            self.release(permit);
        }
    }

    /// Whether an attempt of a node has not been answered yet, be it cut off or not.
    pub(super) fn is_in_flight(&self, slot: Slot) -> bool {
        self.work[slot as usize].attempt().is_some()
    }

    /// The start of a node that is under way, if one is.
    pub(super) fn under_way(&self, slot: Slot) -> Option<Job> {
        let job = self.shared.in_flight.job(self.work[slot as usize].attempt()?)?;
        self.shared.in_flight.is_under_way(job).then_some(job)
    }
}
