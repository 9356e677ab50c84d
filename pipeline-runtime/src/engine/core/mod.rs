//! The core: the engine as a plain state machine.
//!
//! It takes what happened and the time, and returns records for the journal and actions for the driver. There is no clock, no
//! runtime, no database and no user type in it, so that live runs, recovery and simulations go by the same code.
//!
//! Every start is answered exactly once by [`Core::answer`], also where the attempt was cut off in between: only
//! then is its thread free, and only then does its pool have the slot again.

mod alerts;
mod attempt;
mod callbacks;
mod decide;
mod desk;
mod edit;
mod judge;
mod pools;
mod recover;
mod retry;
mod run;
#[cfg(test)]
mod tests;
mod timers;
mod wake;

use super::record::Slot;
use super::records::Records;
use super::state::RunState;
use crate::author::notify::Notification;
use crate::author::value::Value;
use crate::plan::NotifierIx;
use crate::time::Timestamp;
use desk::Desk;
use pools::{CorePool, Pools};
use std::sync::Arc;
use timers::{Due, Timers};

pub(crate) use edit::{Edit, EditError, check_edit};
pub(crate) use run::{Run, RunIx, RunSpec};

/// The most elements that a mapping may have.
pub(crate) const MAX_ELEMENTS: u32 = 100_000;

/// The state of all runs of a process.
#[derive(Debug)]
pub(crate) struct Core {
    runs: Vec<Option<Hosted>>,
    pools: Pools,
    timers: Timers,
    out: Outbox,
    /// What happens next is no earlier: threads read the clock before they take turns.
    latest: Timestamp,
}

/// A run, and where its plan's pools are in the core.
#[derive(Debug)]
struct Hosted {
    run: Run,
    pools: Vec<CorePool>,
}

/// What a call of the core left to do. The records are to be committed before any of the rest is carried out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) records: Records,
    pub(crate) todo: Todo,
    /// Answers that came too late. What their values' own drop does is not done under the driver's lock.
    pub(crate) refused: Vec<Answer>,
}

/// What the driver has to do: to start bodies, and then the rest.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    pub(crate) starts: Vec<Job>,
    pub(crate) actions: Vec<Action>,
}

impl Todo {
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.actions.is_empty()
    }

    /// Adds what is to be done after it.
    pub(crate) fn append(&mut self, mut after: Self) {
        self.starts.append(&mut after.starts);
        self.actions.append(&mut after.actions);
    }
}

/// One start of a node's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) run: RunIx,
    pub(crate) slot: Slot,
    /// Which of the node's starts it is.
    pub(crate) start: u32,
}

/// What the driver has to do besides starting bodies.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Cut an attempt off. It is still to be answered.
    Abort(Job),
    /// Tell somebody.
    Tell { run: RunIx, id: u32, notifier: NotifierIx, notification: Arc<Notification> },
    /// The run has ended.
    Ended { run: RunIx, state: RunState },
}

/// What became of an attempt.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) what: Answered,
    /// What a sensor remembers.
    pub(crate) memory: Option<Arc<str>>,
}

#[derive(Debug)]
pub(crate) enum Answered {
    /// The output, with its JSON where the journal is durable.
    Success(Value, Option<Arc<[u8]>>),
    /// With what the poke looked for, where it may be the sensor's last: the end of the sentence "timed out: …; …".
    NotYet(Option<Box<str>>),
    Error(Arc<str>),
    Fatal(Arc<str>),
    Skip(Arc<str>),
    /// It was cut off as asked.
    Aborted,
}

impl From<Answered> for Answer {
    fn from(what: Answered) -> Self {
        Self { what, memory: None }
    }
}

/// The runs of a core, to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runs<'a>(&'a [Option<Hosted>]);

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
            pools: Pools::new(parallelism),
            timers: Timers::default(),
            out: Outbox::default(),
            latest: Timestamp::default(),
        }
    }

    /// Starts a run.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one desk's lifetime, and not of any")]
    pub(crate) fn start(&mut self, spec: RunSpec, now: Timestamp) -> RunIx {
        let ix = self.host(Run::new(spec, now));
        self.desk(ix, now, |desk| desk.begin());
        self.settle(now);
        ix
    }

    fn host(&mut self, run: Run) -> RunIx {
        let pools = run.plan().pools.iter().map(|pool| self.pools.open(*pool)).collect();
        self.runs.push(Some(Hosted { run, pools }));
        u32::try_from(self.runs.len() - 1).unwrap_or(u32::MAX)
    }

    /// An attempt has come to its end.
    #[inline]
    pub(crate) fn answer(&mut self, job: Job, answer: Answer, now: Timestamp) {
        self.desk(job.run, now, |desk| desk.answer(job, answer));
        self.settle(now);
    }

    /// Something that a sensor's poke has looked at is no longer as it was; `start` says which poke it was.
    pub(crate) fn wake(&mut self, run: RunIx, slot: Slot, start: u32, now: Timestamp) {
        if !self.pools.is_closed() {
            self.desk(run, now, |desk| desk.changed(slot, start));
            self.settle(now);
        }
    }

    /// A notifier has come to its end.
    pub(crate) fn told(&mut self, run: RunIx, id: u32, result: Result<(), String>, now: Timestamp) {
        self.desk(run, now, |desk| desk.told(id, result));
    }

    /// From now on nothing is started any more: neither nodes nor further attempts or pokes. What is under way may end.
    pub(crate) fn drain(&mut self) {
        self.pools.close();
    }

    /// The process is about to end, since somebody wants it to: attempts under way are put down as cut off. Whoever goes on with the
    /// runs starts them anew, and it counts as no death of theirs.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one desk's lifetime, and not of any")]
    pub(crate) fn interrupt(&mut self, now: Timestamp) {
        self.drain();
        for run in 0..u32::try_from(self.runs.len()).unwrap_or(u32::MAX) {
            self.desk(run, now, |desk| desk.interrupt());
        }
    }

    /// Whether any attempt has not been answered yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.runs.iter().flatten().any(|hosted| hosted.run.is_busy())
    }

    /// Gives a run's memory back, if it has ended and nothing of it is left to be done or told. Says whether it has.
    pub(crate) fn forget(&mut self, run: RunIx) -> bool {
        let Some(slot) = self.runs.get_mut(run as usize) else { return true };
        if slot.as_ref().is_some_and(|hosted| {
            let run = &hosted.run;
            !run.state.is_end() || !run.alerts.is_empty() || run.is_busy()
        }) {
            return false;
        }
        *slot = None;
        true
    }

    /// Does what is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some((run, due)) = self.timers.pop(now) {
            if self.pools.is_closed() && matches!(due, Due::Next(_) | Due::Change(_)) {
                // It is journaled, and whoever goes on with the run does it.
                continue;
            }
            self.desk(run, now, |desk| match due {
                Due::Limit(slot, start) => desk.limit(slot, start),
                Due::Next(slot) => desk.next(slot),
                Due::Change(slot) => desk.poke_for_change(slot),
                Due::NodeSla(slot) => desk.node_sla(slot),
                Due::RunSla(rung) => desk.run_sla(rung),
                Due::Callback(_) => desk.tell(),
                Due::RunTimeout => desk.timed_out_run(),
            });
        }
        self.settle(now);
    }

    /// When something is due next, if nothing happens before; else [`Timestamp::NEVER`].
    #[inline]
    pub(crate) fn next_due(&self) -> Timestamp {
        self.timers.next()
    }

    /// What is left to do.
    #[cfg(test)]
    pub(crate) fn outbox(&mut self) -> &mut Outbox {
        &mut self.out
    }

    /// What is left to do, for a driver that keeps its buffers, with the runs that it is of.
    #[inline]
    pub(crate) fn outbox_and_runs(&mut self) -> (&mut Outbox, Runs<'_>) {
        (&mut self.out, Runs(&self.runs))
    }

    #[inline]
    pub(crate) fn run(&self, run: RunIx) -> Option<&Run> {
        Runs(&self.runs).get(run)
    }

    #[inline]
    fn desk(&mut self, ix: RunIx, now: Timestamp, work: impl FnOnce(&mut Desk<'_>)) {
        let Some(Some(hosted)) = self.runs.get_mut(ix as usize) else { return };
        self.latest = self.latest.max(now);
        let now = self.latest;
        let pools_of_plan = &hosted.pools;
        let mut desk = Desk {
            run: &mut hosted.run,
            ix,
            now,
            pools_of_plan,
            pools: &mut self.pools,
            timers: &mut self.timers,
            out: &mut self.out,
        };
        work(&mut desk);
        desk.decide();
    }

    /// Gives free slots of pools to those who wait.
    fn settle(&mut self, now: Timestamp) {
        while let Some((pool, run, slot)) = self.pools.grant() {
            let mut started = false;
            self.desk(run, now, |desk| started = desk.granted(slot));
            if !started {
                self.pools.release(pool);
            }
        }
        if self.timers.has_many_limits() {
            let runs = Runs(&self.runs);
            self.timers.sweep(|run, slot, start| {
                runs.get(run).is_some_and(|run| {
                    let node = run.node(slot);
                    node.starts == start && node.in_flight
                })
            });
        }
    }
}
