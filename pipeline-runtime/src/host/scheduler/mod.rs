//! Which runs are to begin, and when to look again: a plain state machine over what the journal knows of each pipeline.
//!
//! It is told the time and what became of runs, and answers with runs to begin. There is no clock, no database and no engine in
//! it, so that `serve` and tests on virtual time decide by the same code.
//!
//! # Rules
//!
//! - An interval is due at its end, by the calendar, which may be set back or ahead: an interval that has a scheduled run gets no
//!   other, whatever the date was when that was made. With `catchup` all that were missed are made up for, oldest first; without it the latest alone.
//! - At most `max_active_runs` scheduled and manual runs of a pipeline are active; a backfill has a limit of its own. What has no
//!   place waits: manual runs and backfills in the order in which they were asked for, and intervals as long as they are due.
//! - With `depends_on_past` a scheduled run waits for the last scheduled interval, and a backfill's run for the interval before its
//!   own. Such an interval holds others up as long as it has an unfinished run, queued or begun, in this process or in the journal
//!   alone; after that its newest outcome counts, which is the state of the run that ended last, whatever made that run. Only
//!   `success` lets others begin: a run that failed or was cancelled holds them up, also one that was cancelled while it was queued.
//!   An interval that never had a run holds nobody up.
//! - A pipeline that waits for assets begins a run once each of them, or one of them, has an update that no run was begun for. Updates that
//!   come before the run has begun are used up by it together.
//! - A paused pipeline starts no scheduled run, and none for updates; what was asked for by hand begins all the same.
//! - What has failed to begin is due as before: an interval counts as scheduled once its run has begun.
//!
//! # Cost
//!
//! What a run that ends may let begin is found by indexes (`queue.rs`, `intervals.rs`), in steps that do not grow with the queue. Who waits for an
//! asset is found by its name.
//!
//! # Why an interval that waits is not written down
//!
//! An interval that is due and has no place is not queued: its schedule says again that it is due, so no queue grows while a pipeline is slow.
//! Runs that somebody asked for are `queued` in the journal.
//!
//! # Tests
//!
//! `host/dispatch` is the driver of this machine. `tests.rs` sets it against changes of clock, stops and limits on virtual time, `model.rs`
//! against the rules without an index, over random histories.

mod intervals;
#[cfg(test)]
mod model;
mod pipeline;
mod queue;
#[cfg(test)]
mod tests;

use crate::engine::RunState;
use crate::journal::{RunKey, RunKind, StoredRun};
use crate::plan::{Awaits, Pending, Plan};
use crate::schedule::{Interval, Schedule, Window, Zone};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use pipeline::PipelineState;
use pipeline_syntax::date::WindowError;
use std::collections::{BTreeMap, HashMap};

/// When a pipeline runs, and how often at once.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    pub(crate) schedule: Option<Schedule>,
    pub(crate) window: Window,
    pub(crate) max_active_runs: u32,
    pub(crate) depends_on_past: bool,
}

impl Timetable {
    pub(crate) fn of(plan: &Plan) -> Result<Self, WindowError> {
        let calendar = plan.calendar;
        let zone = plan.schedule.as_ref().map_or(Zone::UTC, Schedule::zone);
        Ok(Self {
            schedule: plan.schedule.clone(),
            window: Window::read(calendar.start, calendar.end, calendar.catchup, zone)?,
            max_active_runs: calendar.max_active_runs,
            depends_on_past: calendar.depends_on_past,
        })
    }

    /// Where the interval before this one starts. The two need not touch.
    pub(crate) fn before(&self, interval: Interval) -> Option<DateTime<Utc>> {
        self.schedule.as_ref()?.last_at_or_before(interval.start - chrono::TimeDelta::nanoseconds(1))
    }
}

/// A run that has begun or is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) key: RunKey,
    pub(crate) kind: RunKind,
    pub(crate) interval: Interval,
    /// Of a backfill: how many of its pipeline's backfill runs may be active at once.
    pub(crate) max_active: Option<u32>,
}

impl Turn {
    pub(crate) fn of(run: &StoredRun) -> Self {
        Self { key: run.key, kind: run.kind, interval: run.interval, max_active: run.max_active }
    }
}

/// A run that is to begin now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Of a data interval that is due.
    Interval {
        pipeline: String,
        interval: Interval,
        /// Whether its tick came while somebody watched the schedule; else it is made up for.
        on_time: bool,
    },
    /// One that the journal has already.
    Queued { pipeline: String, turn: Turn },
    /// For updates of assets.
    Updated { pipeline: String, updates: Vec<Pending> },
}

/// What the journal knows of a pipeline when the scheduler starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// The latest interval that is over and has a scheduled run.
    pub(crate) last: Option<Interval>,
    /// The newest outcome of that interval.
    pub(crate) outcome: Option<RunState>,
    /// The starts of later intervals that have a scheduled run all the same, made while the calendar read a later date, and their
    /// newest outcomes. They run no second time, and what lies between runs once it is over.
    pub(crate) ahead: Vec<(DateTime<Utc>, Option<RunState>)>,
    /// Stretches of later intervals that had one, which is deleted.
    pub(crate) deleted: Vec<Interval>,
    pub(crate) paused: bool,
    /// The assets that it waits for.
    pub(crate) awaits: Option<Awaits>,
    /// The runs that have not ended, whether this process is to have them or not. They hold up what depends on their intervals.
    pub(crate) unfinished: Vec<Turn>,
}

/// What the end of a run means for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The scheduler did not have it.
    Unknown,
    /// Nobody waits because of it.
    Clear,
    /// Others wait until its interval has a run that succeeds.
    HoldsUp,
}

/// What keeps an interval from beginning that is due of a pipeline that is not paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldBy {
    /// `max_active_runs` of its pipeline are active.
    Places,
    /// With `depends_on_past`, the interval before, which starts then.
    Past(DateTime<Utc>),
}

/// The state of all pipelines' schedules.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    pipelines: BTreeMap<String, PipelineState>,
    /// Who waits for an asset.
    waiting: HashMap<&'static str, Vec<String>>,
}

impl Scheduler {
    /// Takes a pipeline on. `watched_since` is none where its schedule is not followed, and only what is asked for runs.
    pub(crate) fn add(&mut self, pipeline: &str, timetable: Timetable, known: Known, watched_since: Option<Timestamp>) {
        for asset in known.awaits.iter().flat_map(Awaits::assets) {
            let waiting = self.waiting.entry(asset).or_default();
            if !waiting.iter().any(|id| id == pipeline) {
                waiting.push(pipeline.to_owned());
            }
        }
        let state = PipelineState::new(timetable, known, watched_since.map(Timestamp::to_utc));
        self.pipelines.insert(pipeline.to_owned(), state);
    }

    pub(crate) fn knows(&self, pipeline: &str) -> bool {
        self.pipelines.contains_key(pipeline)
    }

    /// A run that is to begin at `now`. It is the same again until it has begun ([`Scheduler::began`]) or ended.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Begin> {
        self.pipelines.iter().find_map(|(pipeline, state)| state.next(pipeline, now.to_utc()))
    }

    /// What keeps the pipeline's interval that is due first from beginning.
    pub(crate) fn held_by(&self, pipeline: &str, now: Timestamp) -> Option<HeldBy> {
        self.pipelines.get(pipeline)?.held_by(now.to_utc())
    }

    /// When something may become due that is not due at `now`.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.pipelines.values().filter_map(|state| state.wake(now.to_utc())).min().map(Timestamp::from)
    }

    pub(crate) fn began(&mut self, pipeline: &str, turn: Turn) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.began(turn);
        }
    }

    /// An asset was updated.
    pub(crate) fn updated(&mut self, asset: &str, id: i64) {
        for pipeline in self.waiting.get(asset).into_iter().flatten() {
            if let Some(state) = self.pipelines.get_mut(pipeline) {
                state.updated(asset, id);
            }
        }
    }

    /// A run has begun for these updates.
    pub(crate) fn used(&mut self, pipeline: &str, updates: &[Pending]) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.used(updates);
        }
    }

    /// A run could not begin: nothing of its pipeline begins before `until`.
    pub(crate) fn hold(&mut self, pipeline: &str, until: Timestamp) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.hold(until.to_utc());
        }
    }

    /// A queued run cannot begin, and waits for another program: it holds up nothing but what depends on its interval.
    pub(crate) fn set_aside(&mut self, pipeline: &str, turn: Turn) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.set_aside(turn);
        }
    }

    /// The calendar was set, or the machine slept: what was held is tried again, and what became due meanwhile is made up for, as
    /// after a stop.
    pub(crate) fn leapt(&mut self, now: Timestamp) {
        for state in self.pipelines.values_mut() {
            state.leapt(now.to_utc());
        }
    }

    /// Takes on anew which intervals have a scheduled run: what is over has changed. All else that is known stays.
    pub(crate) fn scheduled(&mut self, pipeline: &str, known: Known) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.scheduled(known);
        }
    }

    /// Whether a pipeline is held.
    pub(crate) fn is_held(&self, now: Timestamp) -> bool {
        self.pipelines.values().any(|state| state.is_held(now.to_utc()))
    }

    /// A run waits for its turn. Returns the start of the interval before, where its outcome decides and is not known: the caller
    /// looks it up for [`Scheduler::outcome`] before it asks for the next run.
    pub(crate) fn queue(&mut self, pipeline: &str, turn: Turn) -> Option<DateTime<Utc>> {
        self.pipelines.get_mut(pipeline)?.queue(turn)
    }

    /// The newest outcome of an interval, as the journal has it.
    pub(crate) fn outcome(&mut self, pipeline: &str, start: DateTime<Utc>, state: RunState) {
        if let Some(pipeline) = self.pipelines.get_mut(pipeline) {
            pipeline.outcome(start, state);
        }
    }

    /// A run has ended, active or not: its outcome is the newest of its interval.
    pub(crate) fn ended(&mut self, pipeline: &str, key: RunKey, state: RunState) -> Ended {
        self.pipelines.get_mut(pipeline).map_or(Ended::Unknown, |pipeline| pipeline.ended(key, state))
    }

    /// Its schedule is followed no longer, or again.
    pub(crate) fn pause(&mut self, pipeline: &str, paused: bool, now: Timestamp) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.pause(paused, now.to_utc());
        }
    }

    /// How many runs are queued.
    pub(crate) fn queued(&self) -> usize {
        self.pipelines.values().map(PipelineState::queued).sum()
    }

    /// How many runs of the pipeline that are no backfill's are active.
    pub(crate) fn active(&self, pipeline: &str) -> usize {
        self.pipelines.get(pipeline).map_or(0, PipelineState::active_others)
    }

    pub(crate) fn is_paused(&self, pipeline: &str) -> bool {
        self.pipelines.get(pipeline).is_some_and(PipelineState::is_paused)
    }

    /// When the next interval of any pipeline is due.
    pub(crate) fn next_of_all(&self, now: Timestamp) -> Option<Timestamp> {
        self.pipelines.values().filter_map(|state| state.next_tick(now.to_utc())).min().map(Timestamp::from)
    }

    /// When the pipeline's next interval is due.
    pub(crate) fn next_tick(&self, pipeline: &str, now: Timestamp) -> Option<Timestamp> {
        self.pipelines.get(pipeline)?.next_tick(now.to_utc()).map(Timestamp::from)
    }
}
