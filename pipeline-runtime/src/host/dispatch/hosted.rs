//! The runs of a process, from their start until nothing is left to do for them.
//!
//! A run may be retried after its end, even before that end was handled. So each event is compared with the current state of the
//! run: the end of a run that is active again is ignored and the run watched further, and an event from an earlier life is
//! ignored as well.

use super::super::scheduler::{EndEffect, Turn};
use super::super::{PreparedRun, StartError};
use super::Dispatch;
use crate::author::notify::BoxFuture;
use crate::engine::{Run, RunIx, RunState};
use crate::journal::RunKey;
use futures_util::stream::FuturesUnordered;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The runs of a process.
#[derive(Debug, Default)]
pub(super) struct HostedRuns {
    hosted: HashMap<RunIx, HostedRun>,
    by_key: HashMap<RunKey, RunIx>,
    /// Runs that have not ended, as far as events were handled. Each has one event to come.
    open: HashSet<RunIx>,
    /// Runs that have ended but are not forgotten, or have pending notifications.
    closing: HashSet<RunIx>,
    /// Those of them whose notifications are delivered, but whose last thread is not back.
    lingering: Vec<RunIx>,
    pub(super) events: FuturesUnordered<BoxFuture<RunEvent>>,
}

#[derive(Debug)]
struct HostedRun {
    pipeline: String,
    key: RunKey,
    /// How often the run was started or retried here.
    life: u32,
}

/// Something that happened to a run.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunEvent {
    Ended(RunIx),
    /// All notifications of that life of the run are delivered.
    Delivered(RunIx, u32),
}

impl HostedRuns {
    /// Returns the number of runs that have not ended.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    pub(super) fn has_closing(&self) -> bool {
        !self.closing.is_empty()
    }

    /// Returns the keys of all runs of this process, including those that are over but not forgotten.
    pub(super) fn keys(&self) -> impl Iterator<Item = RunKey> {
        self.by_key.keys().copied()
    }

    /// Returns where the run with that key is hosted, if it is.
    pub(super) fn of_key(&self, key: RunKey) -> Option<RunIx> {
        self.by_key.get(&key).copied()
    }

    pub(super) fn is_open(&self, ix: RunIx) -> bool {
        self.open.contains(&ix)
    }
}

impl Dispatch<'_> {
    /// Starts or resumes a run, once the journal's queue has room. For use before the engine runs anything.
    pub(crate) fn start(&mut self, prepared: PreparedRun) -> Result<RunIx, StartError> {
        if let Some(journal) = &self.host.journal {
            journal.wait_for_room();
        }
        self.begin(prepared)
    }

    /// Starts or resumes a run.
    pub(super) fn begin(&mut self, prepared: PreparedRun) -> Result<RunIx, StartError> {
        let (turn, is_resumed) = (prepared.turn(), matches!(prepared, PreparedRun::Resumed(_)));
        let pipeline = prepared.plan().pipeline.to_owned();
        if turn.is_some() {
            // Done before any part of the run starts: a run that has started must not be started again because this failed.
            self.ensure_known(prepared.plan())?;
        }
        let ix = self.host.start(prepared)?;
        let look = |run: &Run| (run.spec().key, run.state());
        let Some((key, state)) = self.host.engine.look(ix, look) else { return Ok(ix) };
        if let Some(turn) = turn {
            self.runs.by_key.insert(key, ix);
            // A run that has ended before and only has pending notifications takes no place.
            if !(is_resumed && state.is_end()) {
                self.scheduler.began(&pipeline, Turn { key, ..turn });
            }
        }
        self.runs.hosted.insert(ix, HostedRun { pipeline: pipeline.clone(), key, life: 0 });
        if state.is_end() {
            self.ended_elsewhere(&pipeline, key, state);
            self.close(ix);
        } else {
            self.watch(ix);
        }
        Ok(ix)
    }

    /// Waits until a run has ended.
    pub(super) fn watch(&mut self, ix: RunIx) {
        let engine = self.host.engine.clone();
        if let Some(hosted) = self.runs.hosted.get_mut(&ix) {
            hosted.life += 1;
        }
        self.runs.open.insert(ix);
        self.runs.closing.remove(&ix);
        self.runs.events.push(Box::pin(async move {
            engine.ended(ix).await;
            RunEvent::Ended(ix)
        }));
    }

    /// Waits until all notifications of a run that has ended are delivered.
    fn close(&mut self, ix: RunIx) {
        let engine = self.host.engine.clone();
        let life = self.runs.hosted.get(&ix).map_or(0, |hosted| hosted.life);
        self.runs.closing.insert(ix);
        self.runs.events.push(Box::pin(async move {
            engine.all_delivered(ix).await;
            RunEvent::Delivered(ix, life)
        }));
    }

    pub(super) fn handle(&mut self, event: RunEvent) {
        match event {
            RunEvent::Ended(ix) => match self.host.engine.look(ix, Run::state) {
                // It was retried before its end was handled.
                Some(state) if !state.is_end() => self.watch(ix),
                state => {
                    self.runs.open.remove(&ix);
                    self.close(ix);
                    self.count(state.unwrap_or(RunState::Failed));
                    if let Some(HostedRun { pipeline, key, .. }) = self.runs.hosted.get(&ix) {
                        let (pipeline, key) = (pipeline.clone(), *key);
                        self.ended(&pipeline, key, state.unwrap_or(RunState::Failed));
                    }
                }
            },
            RunEvent::Delivered(ix, life) => {
                let is_of_now = self.runs.hosted.get(&ix).is_none_or(|hosted| hosted.life == life);
                match is_of_now && self.runs.closing.contains(&ix) {
                    true if self.service.forgets => self.forget(ix),
                    true => drop(self.runs.closing.remove(&ix)),
                    false => {}
                }
            }
        }
    }

    fn count(&mut self, state: RunState) {
        match state {
            RunState::Success => self.tally.success += 1,
            RunState::Cancelled => self.tally.cancelled += 1,
            _ => self.tally.failed += 1,
        }
    }

    /// Records the end in the scheduler, warns if it holds up later runs, and notifies waiters. Returns whether the scheduler
    /// knew the run.
    fn ended(&mut self, pipeline: &str, key: RunKey, state: RunState) -> bool {
        let ended = self.scheduler.ended(pipeline, key, state);
        if ended == EndEffect::HoldsUp {
            tracing::warn!(
                pipeline,
                "pipeline `{pipeline}` depends on its past: its next run waits until this interval's has succeeded"
            );
        }
        self.settle(key);
        self.wake_waiting(key);
        ended != EndEffect::Unknown
    }

    /// Pokes the sensors of other runs that wait for the end of this one.
    fn wake_waiting(&self, key: RunKey) {
        let Some((others, _)) = self.others.as_ref().filter(|(others, _)| others.is_awaited()) else { return };
        let here = self.runs.of_key(key).and_then(|ix| self.host.engine.look(ix, |run| Arc::clone(&run.spec().info)));
        if let Some(info) = here {
            return others.ended(&info.pipeline, &info.run_id, info.interval.start);
        }
        // It ended without the engine.
        let run = self.journal().ok().and_then(|journal| journal.reader_after_sync().ok()?.run_of_key(key).ok()?);
        if let Some(run) = run {
            others.ended(&run.pipeline, &run.run_id, run.interval.start);
        }
    }

    /// Handles the end of a run that was not open here. It is counted if the scheduler knew it.
    pub(super) fn ended_elsewhere(&mut self, pipeline: &str, key: RunKey, state: RunState) {
        if self.ended(pipeline, key, state) {
            self.count(state);
        }
    }

    /// Frees the memory of runs whose last thread has come back meanwhile.
    pub(super) fn forget_lingering(&mut self) {
        for ix in std::mem::take(&mut self.runs.lingering) {
            if self.runs.closing.contains(&ix) {
                self.forget(ix);
            }
        }
    }

    fn forget(&mut self, ix: RunIx) {
        if !self.host.engine.forget(ix) {
            self.runs.lingering.push(ix);
            return;
        }
        self.runs.closing.remove(&ix);
        if let Some(hosted) = self.runs.hosted.remove(&ix) {
            self.runs.by_key.remove(&hosted.key);
        }
        self.feed.forget(ix);
    }
}
