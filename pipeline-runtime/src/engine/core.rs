//! The core: the engine as a plain state machine.
//!
//! It takes an event and the time, and returns records for the journal and actions for the runtime. It contains no clock, no
//! async runtime, no database and no user code, so live runs, recovery and simulations share the same code.
//!
//! It combines three things and keeps them apart: a run's [state](super::state), which is the fold of its records; the
//! [rules](super::rules), which record what follows; and the [execution](super::execution), which is volatile.
//!
//! # Invariants
//!
//! - Every start is answered exactly once by [`Core::answer`], even if the attempt was cut off in between. Only then is its
//!   thread free, and only then does its pool get the permit back.
//! - A run's records are ordered by time, whichever thread read the clock first. (`runtime/tests/turns.rs`)
//!
//! # Why it drains before it is interrupted
//!
//! A process that is to end first stops starting anything, so that nodes that have not begun need no repair: only attempts that
//! outlast the drain are cut off. The core closes its pools for this, instead of checking before each start.

use super::effects::{Answer, DeliveryError, Garbage, Outbox};
use super::execution::{CorePool, Delivery, InFlight, Locks, NodeWork, Pools, Timer, Timers, Worklist};
use super::ids::{Job, RunIx, Slot};
use super::rules::{Edit, EditError, Looks, RunContext, Shared};
use super::state::{Run, RunSpec};
use crate::author::keys::ListSummary;
use crate::time::Timestamp;
use std::collections::HashMap;

/// The state of all runs of a process.
#[derive(Debug)]
pub(crate) struct Core {
    /// A forgotten run leaves an empty place: a later run has a greater index.
    runs: Vec<Option<Box<Hosted>>>,
    shared: Shared,
    /// The latest time of an event. No later event is earlier, although threads read the clock before they get the lock.
    latest: Timestamp,
}

/// A run, and this process's work on it.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(super) run: Run,
    work: Vec<NodeWork>,
    delivery: Delivery,
    /// The number of attempts in flight.
    busy: usize,
    /// The indices of its plan's pools in the core.
    pools: Vec<CorePool>,
}

/// Read access to the runs of a core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runs<'a>(&'a [Option<Box<Hosted>>]);

impl<'a> Runs<'a> {
    #[inline]
    pub(crate) fn get(self, run: RunIx) -> Option<&'a Run> {
        self.0.get(run as usize)?.as_ref().map(|hosted| &hosted.run)
    }
}

impl Core {
    /// `parallelism` is the number of slots in `default_pool`.
    pub(crate) fn new(parallelism: u32) -> Self {
        Self {
            runs: Vec::new(),
            shared: Shared {
                pools: Pools::new(parallelism),
                locks: Locks::default(),
                timers: Timers::default(),
                in_flight: InFlight::default(),
                kept_permits: HashMap::new(),
                without_permit: Vec::new(),
                looks: Looks::default(),
                worklist: Worklist::default(),
                out: Outbox::default(),
                #[cfg(test)]
                compares_worklists: false,
            },
            latest: Timestamp::from_nanos(i64::MIN),
        }
    }

    // ---- runs

    /// Starts a run.
    pub(crate) fn start(&mut self, spec: RunSpec, now: Timestamp) -> RunIx {
        let ix = self.host(Run::new(spec, now));
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one context's lifetime, and not of any")]
        self.decide_about(ix, now, |context| context.begin());
        self.grant_waiting(now);
        ix
    }

    /// Resumes a run that was replayed from its records by [`Run::replay`].
    pub(crate) fn resume(&mut self, run: Run, now: Timestamp) -> RunIx {
        let ix = self.host(run);
        self.decide_about(ix, now, |context| {
            context.cut_off_by_crash();
            context.resume();
        });
        self.grant_waiting(now);
        ix
    }

    /// Resumes a run with an edit applied, so that nothing starts that the edit ends. If the edit cannot be applied, the run is
    /// not resumed.
    pub(crate) fn resume_edited(&mut self, run: Run, edit: &Edit, now: Timestamp) -> Result<RunIx, EditError> {
        if let Err(error) = run.check_edit(edit) {
            self.shared.out.garbage.push(Garbage::Run(Box::new(run)));
            return Err(error);
        }
        let ix = self.host(run);
        let mut result = Ok(());
        self.decide_about(ix, now, |context| {
            if let Edit::Retry { .. } = edit {
                // Attempts that the end of the last process cut off do not prevent a retry.
                context.cut_off_by_crash();
            }
            result = context.edit(edit);
            context.cut_off_by_crash();
            context.resume();
        });
        self.grant_waiting(now);
        debug_assert_eq!(result, Ok(()), "what was checked can be done");
        result.map(|()| ix)
    }

    fn host(&mut self, run: Run) -> RunIx {
        let pools = run.plan().pools.iter().map(|pool| self.shared.pools.find(*pool)).collect();
        let work = vec![NodeWork::default(); run.nodes().len()];
        self.runs.push(Some(Box::new(Hosted { run, work, delivery: Delivery::default(), busy: 0, pools })));
        super::state::index(self.runs.len() - 1)
    }

    /// Applies a command to a run, or leaves the run unchanged.
    pub(crate) fn edit(&mut self, run: RunIx, edit: &Edit, now: Timestamp) -> Result<(), EditError> {
        let mut result = Ok(());
        self.decide_about(run, now, |context| result = context.edit(edit));
        self.grant_waiting(now);
        result
    }

    /// Calls the notifiers for failures that an earlier process recorded without notifying anybody.
    #[cfg(feature = "airflow")]
    pub(crate) fn notify_failures(&mut self, run: RunIx, failed: &[Slot], now: Timestamp) {
        self.decide_about(run, now, |context| context.notify_failures(failed));
    }

    /// Removes a run, if it has ended and nothing of it is left to be done or delivered. Returns whether it is gone. The caller
    /// drops the run, because its values' drop is user code.
    pub(crate) fn forget(&mut self, run: RunIx) -> (bool, Option<Box<Hosted>>) {
        let Some(place) = self.runs.get_mut(run as usize) else { return (true, None) };
        let is_over = |hosted: &Hosted| hosted.run.is_over() && hosted.busy == 0;
        if place.as_deref().is_some_and(|hosted| !is_over(hosted)) {
            return (false, None);
        }
        let taken = place.take();
        if let Some(hosted) = &taken {
            self.shared.timers.forgot(hosted.work.len());
            self.sweep_timers();
        }
        (true, taken)
    }

    #[inline]
    pub(crate) fn run(&self, run: RunIx) -> Option<&Run> {
        Runs(&self.runs).get(run)
    }

    /// True if an attempt has not been answered yet.
    pub(crate) fn is_busy(&self) -> bool {
        !self.shared.in_flight.is_empty()
    }

    /// True if the answer to a start still decides anything: it has not been given, and the attempt was not cut off.
    #[inline]
    pub(crate) fn is_under_way(&self, job: Job) -> bool {
        self.shared.in_flight.is_under_way(job)
    }

    /// True if nothing of a node is under way, and that start was its last.
    pub(crate) fn awaits_next_after(&self, run: RunIx, slot: Slot, start: u32) -> bool {
        self.run(run)
            .and_then(|run| run.nodes().get(slot as usize))
            .is_some_and(|node| node.starts() == start && node.awaits_next())
    }

    // ---- what happens

    /// An attempt has ended.
    #[inline]
    pub(crate) fn answer(&mut self, job: Job, answer: Answer, now: Timestamp) {
        let Some(ended) = self.shared.in_flight.end(job) else { return self.answered_already(answer) };
        self.decide_about(job.run, now, |context| context.answer(ended, answer));
        self.grant_waiting(now);
    }

    #[cold]
    fn answered_already(&mut self, answer: Answer) {
        self.shared.out.garbage.push(Garbage::Answer(answer));
    }

    /// Something that a sensor's poke read has changed. `start` names the poke.
    pub(crate) fn wake(&mut self, run: RunIx, slot: Slot, start: u32, now: Timestamp) {
        if !self.shared.pools.is_closed() {
            self.decide_about(run, now, |context| context.changed(slot, start));
            self.grant_waiting(now);
        }
    }

    /// A list was inspected, for the request of that number; or the inspection failed.
    pub(crate) fn looked(&mut self, number: u64, seen: Result<ListSummary, String>, now: Timestamp) {
        let Some((run, slot)) = self.shared.looks.take(number) else { return };
        self.decide_about(run, now, |context| context.looked(slot, seen));
        self.grant_waiting(now);
    }

    /// A delivery has ended.
    pub(crate) fn delivered(&mut self, run: RunIx, id: u32, result: Result<(), DeliveryError>, now: Timestamp) {
        self.decide_about(run, now, |context| context.delivered(id, result));
    }

    /// Starts nothing until [`open`](Self::open): no worker could run a body yet, and its time limit would already count.
    pub(crate) fn hold(&mut self) {
        self.shared.pools.hold();
    }

    /// Allows starts: bodies can run from now on.
    pub(crate) fn open(&mut self, now: Timestamp) {
        self.shared.pools.open_all();
        self.grant_waiting(now);
    }

    /// Stops starting nodes, attempts and pokes. Attempts under way may end.
    pub(crate) fn drain(&mut self) {
        self.shared.pools.close();
    }

    /// Records attempts under way as cut off, because the process is asked to end. A process that resumes the runs starts them
    /// again, and does not count this as an interruption by a crash.
    pub(crate) fn interrupt(&mut self, now: Timestamp) {
        self.drain();
        for run in 0..super::state::index(self.runs.len()) {
            #[expect(
                clippy::redundant_closure_for_method_calls,
                reason = "the method is of one context's lifetime, and not of any"
            )]
            self.decide_about(run, now, |context| context.interrupt());
        }
    }

    /// Handles all timers that are due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let mut deadlines = Vec::new();
        self.shared.pools.defer(true);
        while let Some((run, due)) = self.shared.timers.pop(now) {
            if self.shared.pools.is_closed() && matches!(due, Timer::Next(_) | Timer::Change(_) | Timer::Deadline(_)) {
                // It is recorded, and handled by the process that resumes the run.
                continue;
            }
            if let Timer::Deadline(slot) = due {
                // A free permit takes precedence: a poke may start at the deadline.
                deadlines.push((run, slot));
                continue;
            }
            self.decide_about(run, now, |context| match due {
                Timer::Limit(slot, start) => context.time_limit(slot, start),
                Timer::Next(slot) => context.next_is_due(slot),
                Timer::Change(slot) => context.poke_for_change(slot),
                Timer::NodeSla(slot) => context.node_sla(slot),
                Timer::RunSla(step) => context.run_sla(step),
                Timer::Callback(_) => context.deliver(),
                Timer::RunTimeout => context.run_timeout(),
                Timer::Deadline(_) => {}
            });
        }
        self.shared.pools.defer(false);
        self.grant_waiting(now);
        if !deadlines.is_empty() {
            for (run, slot) in deadlines {
                self.decide_about(run, now, |context| context.deadline(slot));
            }
            self.grant_waiting(now);
        }
    }

    /// Returns when the next timer is due, or [`Timestamp::NEVER`].
    #[inline]
    pub(crate) fn next_due(&self) -> Timestamp {
        self.shared.timers.next()
    }

    // ---- for the runtime

    /// The records, actions and garbage that the core has left.
    pub(crate) fn outbox(&mut self) -> &mut Outbox {
        &mut self.shared.out
    }

    /// The same, with the runs that they belong to, for a runtime that reuses the buffers.
    #[inline]
    pub(crate) fn outbox_and_runs(&mut self) -> (&mut Outbox, Runs<'_>) {
        (&mut self.shared.out, Runs(&self.runs))
    }

    #[inline]
    fn decide_about(&mut self, ix: RunIx, now: Timestamp, work: impl FnOnce(&mut RunContext<'_>)) {
        self.in_context(ix, now, |context| {
            work(context);
            context.decide();
            if context.run.has_locks() {
                context.release_locks();
            }
        });
    }

    #[inline]
    fn in_context(&mut self, ix: RunIx, now: Timestamp, work: impl FnOnce(&mut RunContext<'_>)) {
        let Some(Some(hosted)) = self.runs.get_mut(ix as usize) else { return };
        self.latest = self.latest.max(now);
        let Hosted { run, work: of_nodes, delivery, busy, pools } = &mut **hosted;
        let mut context = RunContext {
            run,
            ix,
            now: self.latest,
            work: of_nodes,
            delivery,
            busy,
            pools_of_plan: pools,
            shared: &mut self.shared,
        };
        work(&mut context);
    }

    /// Grants free permits to waiting nodes.
    #[inline]
    fn grant_waiting(&mut self, now: Timestamp) {
        self.grant_locks(now);
        while let Some((permit, run, slot)) = self.shared.pools.grant() {
            let mut permit = Some(permit);
            self.in_context(run, now, |context| {
                permit = permit.take().and_then(|permit| context.start_granted(slot, permit));
            });
            if permit.is_none() {
                continue;
            }
            self.decide_about(run, now, |context| permit = permit.take().and_then(|permit| context.granted(slot, permit)));
            if let Some(permit) = permit {
                self.shared.pools.release(permit);
            }
        }
        if !self.shared.without_permit.is_empty() {
            self.limit_waits(now);
        }
        if self.shared.timers.has_many_doubtful() {
            self.sweep_timers();
        }
    }

    /// Grants free locks to waiting groups.
    #[inline]
    fn grant_locks(&mut self, now: Timestamp) {
        while self.shared.locks.is_due() && self.shared.pools.is_granting() {
            let Some(((run, holding), nodes)) = self.shared.locks.grant() else { return };
            let mut is_used = false;
            self.decide_about(run, now, |context| is_used = context.locks_granted(&nodes));
            if !is_used {
                // No node waits for them any more, or the run is gone.
                self.shared.locks.release((run, holding));
            }
        }
    }

    /// Sensors whose poke is due and has no permit wait no longer than to their deadlines.
    #[cold]
    fn limit_waits(&mut self, now: Timestamp) {
        while let Some((run, slot)) = self.shared.without_permit.pop() {
            self.decide_about(run, now, |context| context.set_deadline(slot));
        }
    }

    #[cold]
    fn sweep_timers(&mut self) {
        if !self.shared.timers.has_many_doubtful() {
            return;
        }
        let (runs, in_flight) = (&self.runs, &self.shared.in_flight);
        self.shared.timers.sweep(|run, due| {
            let Some(Some(hosted)) = runs.get(run as usize) else { return false };
            match due {
                Timer::Limit(slot, start) => {
                    let attempt = hosted.work.get(slot as usize).and_then(NodeWork::attempt);
                    attempt.and_then(|attempt| in_flight.job(attempt)).is_some_and(|job| job.start == start)
                }
                _ => true,
            }
        });
    }

    /// For tests: the pools in use and the owned permits.
    #[cfg(test)]
    pub(crate) fn shared(&mut self) -> &mut Shared {
        &mut self.shared
    }

    /// True if a node's next attempt is due and waits for the thread of its last.
    #[cfg(test)]
    pub(crate) fn is_overdue(&self, run: RunIx, slot: Slot) -> bool {
        let attempt = self.node_work(run, slot).and_then(|work| work.attempt());
        attempt.is_some_and(|attempt| self.shared.in_flight.is_overdue(attempt))
    }

    /// For tests: this process's work on one node.
    #[cfg(test)]
    pub(crate) fn node_work(&self, run: RunIx, slot: Slot) -> Option<NodeWork> {
        self.runs.get(run as usize)?.as_ref()?.work.get(slot as usize).copied()
    }
}
