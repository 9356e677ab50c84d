//! The core: the engine as a plain state machine.
//!
//! It takes what happened and the time, and returns records for the journal and actions for the runtime. There is no clock, no
//! runtime, no database and no user code in it, so that live runs, recovery and simulations go by the same code.
//!
//! It puts three things together and keeps them apart: a run's [state](super::state), which is the fold of its records; the
//! [rules](super::rules), which record what follows; and the [execution](super::execution), which is volatile.
//!
//! # Invariants
//!
//! - Every start is answered exactly once by [`Core::answer`], also if the attempt was cut off in between: only then is its thread free,
//!   and only then does its pool have the permit again.
//! - A run's records are in the order of their times, whichever thread read the clock first. (`runtime/tests/turns.rs`)
//!
//! # Why it drains before it is interrupted
//!
//! A process that is to end first starts nothing more, so that what has not begun needs no repair: only attempts that outlast the drain are
//! cut off. The core closes its pools for that, instead of asking before each start.

use super::effects::{Answer, NotTold, Outbox};
use super::execution::{CorePool, Delivery, Due, InFlight, Locks, NodeWork, Pools, Timers, Worklist};
use super::ids::{Job, RunIx, Slot};
use super::rules::{Edit, EditError, Looks, RunContext, Shared};
use super::state::{Run, RunSpec};
use crate::author::keys::Seen;
use crate::time::Timestamp;
use std::collections::HashMap;

/// The state of all runs of a process.
#[derive(Debug)]
pub(crate) struct Core {
    /// A run that was forgotten leaves an empty place: a later run has a greater index.
    runs: Vec<Option<Box<Hosted>>>,
    shared: Shared,
    /// What happens next is no earlier: threads read the clock before they take turns.
    latest: Timestamp,
}

/// A run, and what this process does about it.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(super) run: Run,
    work: Vec<NodeWork>,
    delivery: Delivery,
    /// Attempts in flight.
    busy: usize,
    /// Where its plan's pools are in the core.
    pools: Vec<CorePool>,
}

/// The runs of a core, to look at.
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

    /// Takes up a run that its records were replayed for, by [`Run::replay`].
    pub(crate) fn resume(&mut self, run: Run, now: Timestamp) -> RunIx {
        let ix = self.host(run);
        self.decide_about(ix, now, |context| {
            context.cut_off_by_crash();
            context.resume();
        });
        self.grant_waiting(now);
        ix
    }

    /// Takes up a run as an edit leaves it: what the edit ends is not started before. Of a run that it cannot be applied to
    /// nothing is taken up.
    pub(crate) fn resume_edited(&mut self, run: Run, edit: &Edit, now: Timestamp) -> Result<RunIx, EditError> {
        run.check_edit(edit)?;
        let ix = self.host(run);
        let mut result = Ok(());
        self.decide_about(ix, now, |context| {
            if let Edit::Retry { .. } = edit {
                // What the end of the last process cut off keeps nobody from a retry.
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

    /// Applies a command to a run, or leaves the run as it is.
    pub(crate) fn edit(&mut self, run: RunIx, edit: &Edit, now: Timestamp) -> Result<(), EditError> {
        let mut result = Ok(());
        self.decide_about(run, now, |context| result = context.edit(edit));
        self.grant_waiting(now);
        result
    }

    /// Calls what is to be called of failures that an earlier process has recorded and told nobody of.
    #[cfg(feature = "airflow")]
    pub(crate) fn tell_of_failures(&mut self, run: RunIx, failed: &[Slot], now: Timestamp) {
        self.decide_about(run, now, |context| context.tell_of_failures(failed));
    }

    /// Takes a run out, if it has ended and nothing of it is left to be done or delivered, to be dropped by whoever asked: what its
    /// values' drop does is the user's code. Returns whether it is gone.
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

    /// Whether any attempt has not been answered yet.
    pub(crate) fn is_busy(&self) -> bool {
        !self.shared.in_flight.is_empty()
    }

    /// Whether the answer to a start decides anything: it has not been given, and the attempt was not cut off.
    #[inline]
    pub(crate) fn is_under_way(&self, job: Job) -> bool {
        self.shared.in_flight.is_under_way(job)
    }

    /// Whether nothing of a node is under way, and that start was its last.
    pub(crate) fn awaits_next_after(&self, run: RunIx, slot: Slot, start: u32) -> bool {
        self.run(run)
            .and_then(|run| run.nodes().get(slot as usize))
            .is_some_and(|node| node.starts() == start && node.awaits_next())
    }

    // ---- what happens

    /// An attempt has come to its end.
    #[inline]
    pub(crate) fn answer(&mut self, job: Job, answer: Answer, now: Timestamp) {
        let Some(ended) = self.shared.in_flight.end(job) else { return self.answered_already(answer) };
        self.decide_about(job.run, now, |context| context.answer(ended, answer));
        self.grant_waiting(now);
    }

    #[cold]
    fn answered_already(&mut self, answer: Answer) {
        self.shared.out.garbage.answers.push(answer);
    }

    /// Something that a sensor's poke has looked at is no longer as it was; `start` says which poke it was.
    pub(crate) fn wake(&mut self, run: RunIx, slot: Slot, start: u32, now: Timestamp) {
        if !self.shared.pools.is_closed() {
            self.decide_about(run, now, |context| context.changed(slot, start));
            self.grant_waiting(now);
        }
    }

    /// A list was looked at, as was asked for under that number, or it is known why that cannot be.
    pub(crate) fn looked(&mut self, number: u64, seen: Result<Seen, String>, now: Timestamp) {
        let Some((run, slot)) = self.shared.looks.take(number) else { return };
        self.decide_about(run, now, |context| context.looked(slot, seen));
        self.grant_waiting(now);
    }

    /// A notifier has come to its end.
    pub(crate) fn delivered(&mut self, run: RunIx, id: u32, result: Result<(), NotTold>, now: Timestamp) {
        self.decide_about(run, now, |context| context.delivered(id, result));
    }

    /// Until [`open`](Self::open) nothing is started: nobody is there to run a body, whose time limit would count all the same.
    pub(crate) fn hold(&mut self) {
        self.shared.pools.hold();
    }

    /// Bodies can run from now on.
    pub(crate) fn open(&mut self, now: Timestamp) {
        self.shared.pools.open_all();
        self.grant_waiting(now);
    }

    /// From now on nothing is started any more: neither nodes nor further attempts or pokes. What is under way may end.
    pub(crate) fn drain(&mut self) {
        self.shared.pools.close();
    }

    /// The process is about to end, as it was asked to: attempts under way are recorded as cut off. Whoever resumes the
    /// runs starts them again, and it counts as no death of theirs.
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

    /// Does what is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let mut deadlines = Vec::new();
        self.shared.pools.defer(true);
        while let Some((run, due)) = self.shared.timers.pop(now) {
            if self.shared.pools.is_closed() && matches!(due, Due::Next(_) | Due::Change(_) | Due::Deadline(_)) {
                // It is journaled, and whoever resumes the run does it.
                continue;
            }
            if let Due::Deadline(slot) = due {
                // A permit that is free now comes first: a poke may start at the deadline.
                deadlines.push((run, slot));
                continue;
            }
            self.decide_about(run, now, |context| match due {
                Due::Limit(slot, start) => context.time_limit(slot, start),
                Due::Next(slot) => context.next_is_due(slot),
                Due::Change(slot) => context.poke_for_change(slot),
                Due::NodeSla(slot) => context.node_sla(slot),
                Due::RunSla(rung) => context.run_sla(rung),
                Due::Callback(_) => context.deliver(),
                Due::RunTimeout => context.run_timeout(),
                Due::Deadline(_) => {}
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

    /// When something is due next, if nothing happens before; else [`Timestamp::NEVER`].
    #[inline]
    pub(crate) fn next_due(&self) -> Timestamp {
        self.shared.timers.next()
    }

    // ---- for the runtime

    /// What is left to do.
    pub(crate) fn outbox(&mut self) -> &mut Outbox {
        &mut self.shared.out
    }

    /// What is left to do, for a runtime that keeps its buffers, with the runs that it is of.
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

    /// Gives free permits to nodes that wait for one.
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

    /// Gives free locks to groups that wait for them.
    #[inline]
    fn grant_locks(&mut self, now: Timestamp) {
        while self.shared.locks.is_due() && self.shared.pools.is_granting() {
            let Some(((run, holding), nodes)) = self.shared.locks.grant() else { return };
            let mut is_used = false;
            self.decide_about(run, now, |context| is_used = context.locks_granted(&nodes));
            if !is_used {
                // Nobody waits for them any more, or the run is gone.
                self.shared.locks.release((run, holding));
            }
        }
    }

    /// Sensors whose poke is due and has no permit wait to their deadlines.
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
                Due::Limit(slot, start) => {
                    let attempt = hosted.work.get(slot as usize).and_then(NodeWork::attempt);
                    attempt.and_then(|attempt| in_flight.job(attempt)).is_some_and(|job| job.start == start)
                }
                _ => true,
            }
        });
    }

    /// All that tests look at: the pools in use, and the permits that are owned.
    #[cfg(test)]
    pub(crate) fn shared(&mut self) -> &mut Shared {
        &mut self.shared
    }

    /// Whether a node's next attempt is due, and waits for the thread of its last.
    #[cfg(test)]
    pub(crate) fn is_overdue(&self, run: RunIx, slot: Slot) -> bool {
        let attempt = self.node_work(run, slot).and_then(|work| work.attempt());
        attempt.is_some_and(|attempt| self.shared.in_flight.is_overdue(attempt))
    }

    /// What a test looks at of one node.
    #[cfg(test)]
    pub(crate) fn node_work(&self, run: RunIx, slot: Slot) -> Option<NodeWork> {
        self.runs.get(run as usize)?.as_ref()?.work.get(slot as usize).copied()
    }
}
