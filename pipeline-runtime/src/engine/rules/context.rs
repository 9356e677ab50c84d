use super::super::effects::{Action, Garbage, Outbox};
use super::super::execution::{CorePool, Delivery, InFlight, Locks, NodeWork, Permit, Pools, Timer, Timers, Work, Worklist};
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

/// One run, with all that a rule needs to decide about it at one time.
pub(crate) struct RunContext<'a> {
    pub(crate) run: &'a mut Run,
    pub(crate) ix: RunIx,
    pub(crate) now: Timestamp,
    pub(crate) work: &'a mut Vec<NodeWork>,
    pub(crate) delivery: &'a mut Delivery,
    /// The number of this run's attempts in flight.
    pub(crate) busy: &'a mut usize,
    /// The indices of its plan's pools in the core.
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
    /// The permits that sensors in mode `poke` hold between two pokes.
    pub(crate) kept_permits: HashMap<(RunIx, Slot), Permit>,
    /// Pokes that asked for a permit in this call. Those that get none wait no longer than to their deadlines.
    pub(crate) without_permit: Vec<(RunIx, Slot)>,
    /// The mappings whose lists are being inspected.
    pub(crate) looks: Looks,
    /// The worklist of the run that is being decided about; empty between two calls.
    pub(crate) worklist: Worklist,
    pub(crate) out: Outbox,
    /// Compares the worklist with a derived one after each decision.
    #[cfg(test)]
    pub(crate) compares_worklists: bool,
}

/// Receives the changes that a record makes.
struct Effects<'a> {
    worklist: &'a mut Worklist,
    work: &'a mut Vec<NodeWork>,
    in_flight: &'a mut InFlight,
    garbage: &'a mut Vec<Garbage>,
}

impl Changes for Effects<'_> {
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
        // A queue entry stays in its pool under the old slot, where it will be found stale.
        let moved = self.work[from as usize].move_away();
        self.work[to as usize] = moved;
        if let Some(attempt) = moved.attempt() {
            self.in_flight.moved(attempt, to);
        }
    }

    fn dropped(&mut self, value: Value) {
        self.garbage.push(Garbage::Value(value));
    }
}

impl RunContext<'_> {
    /// Records what happened. The run's state follows from the record, and from nothing else.
    pub(super) fn record(&mut self, record: Record) {
        debug_assert_eq!(self.run.check(&record), Ok(()), "{record:?}");
        let entry = Entry { at: self.now, record };
        let Shared { worklist, in_flight, out, .. } = &mut *self.shared;
        let garbage = &mut out.garbage;
        let mut effects = Effects { worklist, work: self.work, in_flight, garbage };
        self.run.apply(&entry, &mut effects);
        if let Record::Unfolded { .. } = entry.record {
            self.work.resize(self.run.nodes().len(), NodeWork::default());
        }
        self.shared.out.records.push(self.ix, entry);
    }

    /// [`record`](Self::record) for what happens to every node.
    #[inline]
    fn record_start(&mut self, slot: Slot, attempt: u32) {
        debug_assert_eq!(self.run.check(&Record::Started { slot, attempt }), Ok(()));
        self.run.node_started(slot, attempt, self.now);
        self.shared.out.records.started(self.ix, self.now, slot, attempt);
    }

    /// [`record`](Self::record) for what happens to most nodes.
    #[inline]
    pub(super) fn record_success(&mut self, slot: Slot, value: Value, json: Option<Arc<[u8]>>) {
        if json.is_some() {
            return self.record(Record::Succeeded { slot, output: Some(Output { value, json }) });
        }
        let Shared { worklist, in_flight, out, .. } = &mut *self.shared;
        let garbage = &mut out.garbage;
        let mut effects = Effects { worklist, work: self.work, in_flight, garbage };
        self.run.succeeded(slot, &value, &mut effects);
        self.shared.out.records.succeeded(self.ix, self.now, slot, value);
    }

    /// Checks that the worklist is the one that follows from the state.
    #[cfg(test)]
    fn compare_worklists(&self) {
        if !self.shared.compares_worklists || self.run.state().is_end() {
            return;
        }
        // A node that has asked for a permit or for an inspection of its list, waits for a lock, or is in flight is no longer in
        // the worklist.
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

    pub(super) fn timer(&mut self, at: Timestamp, due: Timer) {
        self.shared.timers.set(at, self.ix, due);
    }

    #[inline]
    pub(super) fn policy(&self, slot: Slot) -> &Policy {
        self.run.plan().policy(self.run.ix(slot))
    }

    /// Decides everything that follows, and starts what may start.
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
            // The pool decides the order of several.
            for &slot in &ready {
                if self.is_scheduled(slot) && self.has_locks(slot) {
                    self.queue(slot);
                }
            }
            self.shared.worklist.reuse(ready);
        }
        if self.run.open() == 0 {
            self.end_after_nodes();
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

    /// The only ready node. It starts at once if its pool has a free permit and no waiting node.
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

    /// Asks for a permit of the node's pool, once the thread of the node's last attempt is free.
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

    /// Starts a scheduled node with the permit that it asked for. Nothing follows from such a start that would have to be
    /// decided. If the node is not scheduled, returns the permit.
    #[inline]
    pub(crate) fn start_granted(&mut self, slot: Slot, permit: Permit) -> Option<Permit> {
        if !self.is_scheduled(slot) || !self.run.is_body(slot) {
            return Some(permit);
        }
        self.work[slot as usize].queued = false;
        self.start(slot, permit);
        None
    }

    /// Starts the next attempt or poke of a node with the permit that it asked for. Returns the permit if the node no longer
    /// needs it.
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
            // A sensor in mode `poke` was resumed: it gets its permit back before its next poke.
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
            self.timer(self.now + limit, Timer::Limit(slot, start));
        }
        self.shared.out.todo.starts.push_back(job);
    }

    /// Takes the permit that a sensor in mode `poke` holds between two pokes.
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

    /// True if a sensor keeps its permit between two pokes.
    pub(super) fn keeps_permit(&self, slot: Slot) -> bool {
        self.policy(slot).sensor.as_ref().is_some_and(|sensor| sensor.mode == Mode::Poke)
    }

    /// Cuts off a node's attempt, which keeps its permit until it is answered. Without one, releases the permit that a sensor
    /// keeps between two pokes.
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

    /// True if an attempt of the node has not been answered yet, even if it was cut off.
    pub(super) fn is_in_flight(&self, slot: Slot) -> bool {
        self.work[slot as usize].attempt().is_some()
    }

    /// Returns the start of the node that is under way, if there is one.
    pub(super) fn under_way(&self, slot: Slot) -> Option<Job> {
        let job = self.shared.in_flight.job(self.work[slot as usize].attempt()?)?;
        self.shared.in_flight.is_under_way(job).then_some(job)
    }
}
