//! Decides which runs start, and when to check again: a plain state machine over what the journal knows of each pipeline.
//!
//! It receives the time and the results of runs, and answers with runs to start. It contains no clock, database or engine, so
//! that `serve` and tests on virtual time decide with the same code.
//!
//! # Rules
//!
//! - An interval is due at its end, by the calendar, which may be set back or ahead: an interval that has a scheduled run gets no
//!   other, whatever the date was when that run was created. With `catchup` all missed intervals run, oldest first; without it
//!   only the latest.
//! - At most `max_active_runs` scheduled and manual runs of a pipeline are active; a backfill has its own limit. Runs beyond the
//!   limit wait: manual runs and backfills in the order of their requests, and intervals as long as they are due.
//! - With `depends_on_past` a scheduled run waits for the last scheduled interval, and a backfill's run for the interval before
//!   its own. Such an interval holds others up while it has an unfinished run, queued or started, in this process or only in the
//!   journal. After that its newest outcome counts: the state of the run that ended last, of whatever kind. Only `success` lets
//!   others start: a failed or cancelled run holds them up, even one cancelled while queued. An interval that never had a run
//!   holds nothing up.
//! - A pipeline that waits for assets starts a run once each of them, or one of them, has an update that no run was started for.
//!   Updates that arrive before the run has started are consumed by it together.
//! - A paused pipeline starts no scheduled run, and none for updates; manually requested runs start all the same.
//! - An interval whose start failed remains due: it counts as scheduled once its run has started.
//!
//! # Cost
//!
//! The runs that an ended run allows to start are found by indexes (`queue.rs`, `intervals.rs`), in steps that do not grow with
//! the queue. Pipelines that wait for an asset are found by its name.
//!
//! # Why a due interval is not stored
//!
//! An interval that is due but has no place is not queued: its schedule reports again that it is due, so no queue grows while a
//! pipeline is slow. Manually requested runs are `queued` in the journal.
//!
//! # Tests
//!
//! `host/dispatch` drives this state machine. `tests.rs` tests it across clock changes, stops and limits on virtual time;
//! `model.rs` compares it with the rules implemented without an index, over random histories.

mod intervals;
#[cfg(test)]
mod model;
mod pipeline;
mod queue;
#[cfg(test)]
mod tests;

use crate::engine::RunState;
use crate::journal::{RunKey, RunKind, StoredRun};
use crate::plan::{AssetCondition, PendingUpdates, Plan};
use crate::schedule::{Interval, Schedule, Window, Zone};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use pipeline::PipelineState;
use pipeline_syntax::date::WindowError;
use std::collections::{BTreeMap, HashMap};

/// When a pipeline runs, and how many of its runs at once.
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

    /// Returns the start of the interval before this one. The two need not touch.
    pub(crate) fn before(&self, interval: Interval) -> Option<DateTime<Utc>> {
        self.schedule.as_ref()?.last_at_or_before(interval.start - chrono::TimeDelta::nanoseconds(1))
    }
}

/// A run that has started or is queued, as far as the scheduler needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) key: RunKey,
    pub(crate) kind: RunKind,
    pub(crate) interval: Interval,
    /// For a backfill: the maximum number of its pipeline's active backfill runs.
    pub(crate) max_active: Option<u32>,
}

impl Turn {
    pub(crate) fn of(run: &StoredRun) -> Self {
        Self { key: run.key, kind: run.kind, interval: run.interval, max_active: run.max_active }
    }
}

/// A run to start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DueRun {
    /// A run for a data interval that is due.
    Interval {
        pipeline: String,
        interval: Interval,
        /// True if its tick came while the schedule was watched; else it is caught up.
        on_time: bool,
    },
    /// A queued run of the journal.
    Queued { pipeline: String, turn: Turn },
    /// A run for updates of assets.
    Updated { pipeline: String, updates: Vec<PendingUpdates> },
}

/// What the journal has of a pipeline when the scheduler starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournaledState {
    /// The latest completed interval that has a scheduled run.
    pub(crate) last: Option<Interval>,
    /// The newest outcome of that interval.
    pub(crate) outcome: Option<RunState>,
    /// The starts of later intervals that already have a scheduled run, created while the calendar read a later date, with their
    /// newest outcomes. They do not run again; intervals between them run once they are over.
    pub(crate) ahead: Vec<(DateTime<Utc>, Option<RunState>)>,
    /// Ranges of later intervals whose run was created in that way and then deleted.
    pub(crate) deleted: Vec<Interval>,
    pub(crate) paused: bool,
    /// The assets that it waits for.
    pub(crate) awaits: Option<AssetCondition>,
    /// The unfinished runs, whether this process is to host them or not. They hold up runs that depend on their intervals.
    pub(crate) unfinished: Vec<Turn>,
}

/// The effect of the end of a run on others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndEffect {
    /// The scheduler did not have the run.
    Unknown,
    /// No run waits because of it.
    Clear,
    /// Others wait until its interval has a run that succeeds.
    HoldsUp,
}

/// What keeps a due interval of a pipeline from starting, if the pipeline is not paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldReason {
    /// `max_active_runs` of its pipeline are active.
    Places,
    /// With `depends_on_past`, the interval before, which starts at this time.
    Past(DateTime<Utc>),
}

/// The state of all pipelines' schedules.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    pipelines: BTreeMap<String, PipelineState>,
    /// The pipelines that wait for an asset.
    waiting: HashMap<&'static str, Vec<String>>,
}

impl Scheduler {
    /// Adds a pipeline. `watched_since` is `None` if its schedule is not followed and only requested runs start.
    pub(crate) fn add(
        &mut self,
        pipeline: &str,
        timetable: Timetable,
        journaled: JournaledState,
        watched_since: Option<Timestamp>,
    ) {
        for asset in journaled.awaits.iter().flat_map(AssetCondition::assets) {
            let waiting = self.waiting.entry(asset).or_default();
            if !waiting.iter().any(|id| id == pipeline) {
                waiting.push(pipeline.to_owned());
            }
        }
        let state = PipelineState::new(timetable, journaled, watched_since.map(Timestamp::to_utc));
        self.pipelines.insert(pipeline.to_owned(), state);
    }

    pub(crate) fn knows(&self, pipeline: &str) -> bool {
        self.pipelines.contains_key(pipeline)
    }

    /// Returns a run to start at `now`. It stays the same until it has started ([`Scheduler::began`]) or ended.
    pub(crate) fn next(&self, now: Timestamp) -> Option<DueRun> {
        self.pipelines.iter().find_map(|(pipeline, state)| state.next(pipeline, now.to_utc()))
    }

    /// Returns what keeps the pipeline's first due interval from starting.
    pub(crate) fn held_by(&self, pipeline: &str, now: Timestamp) -> Option<HoldReason> {
        self.pipelines.get(pipeline)?.held_by(now.to_utc())
    }

    /// Returns when something may become due that is not due at `now`.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.pipelines.values().filter_map(|state| state.wake(now.to_utc())).min().map(Timestamp::from)
    }

    pub(crate) fn began(&mut self, pipeline: &str, turn: Turn) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.began(turn);
        }
    }

    /// Records an update of an asset.
    pub(crate) fn updated(&mut self, asset: &str, id: i64) {
        for pipeline in self.waiting.get(asset).into_iter().flatten() {
            if let Some(state) = self.pipelines.get_mut(pipeline) {
                state.updated(asset, id);
            }
        }
    }

    /// Records that a run has started for these updates.
    pub(crate) fn consume_updates(&mut self, pipeline: &str, updates: &[PendingUpdates]) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.consume_updates(updates);
        }
    }

    /// Called when a run could not start: no run of its pipeline starts before `until`.
    pub(crate) fn hold(&mut self, pipeline: &str, until: Timestamp) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.hold(until.to_utc());
        }
    }

    /// Called when a queued run cannot start and needs another program. It holds up only runs that depend on its interval.
    pub(crate) fn set_aside(&mut self, pipeline: &str, turn: Turn) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.set_aside(turn);
        }
    }

    /// Called when the calendar was set or the machine slept. Held pipelines are tried again, and intervals that became due
    /// meanwhile are handled as after a stop.
    pub(crate) fn calendar_jumped(&mut self, now: Timestamp) {
        for state in self.pipelines.values_mut() {
            state.calendar_jumped(now.to_utc());
        }
    }

    /// Replaces which intervals have a scheduled run, after the set of completed intervals has changed. The rest of the state
    /// stays.
    pub(crate) fn scheduled(&mut self, pipeline: &str, journaled: JournaledState) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.scheduled(journaled);
        }
    }

    /// True if a pipeline is held.
    pub(crate) fn is_held(&self, now: Timestamp) -> bool {
        self.pipelines.values().any(|state| state.is_held(now.to_utc()))
    }

    /// Queues a run. Returns the start of the interval before if its outcome decides and is unknown: the caller then reads it and
    /// passes it to [`Scheduler::outcome`] before the next call of [`Scheduler::next`].
    pub(crate) fn queue(&mut self, pipeline: &str, turn: Turn) -> Option<DateTime<Utc>> {
        self.pipelines.get_mut(pipeline)?.queue(turn)
    }

    /// Records the newest outcome of an interval, as read from the journal.
    pub(crate) fn outcome(&mut self, pipeline: &str, start: DateTime<Utc>, state: RunState) {
        if let Some(pipeline) = self.pipelines.get_mut(pipeline) {
            pipeline.outcome(start, state);
        }
    }

    /// Records the end of a run, active or not: its outcome is the newest of its interval.
    pub(crate) fn ended(&mut self, pipeline: &str, key: RunKey, state: RunState) -> EndEffect {
        self.pipelines.get_mut(pipeline).map_or(EndEffect::Unknown, |pipeline| pipeline.ended(key, state))
    }

    /// Pauses or resumes the schedule of a pipeline.
    pub(crate) fn pause(&mut self, pipeline: &str, paused: bool, now: Timestamp) {
        if let Some(state) = self.pipelines.get_mut(pipeline) {
            state.pause(paused, now.to_utc());
        }
    }

    /// Returns the number of queued runs.
    pub(crate) fn queued(&self) -> usize {
        self.pipelines.values().map(PipelineState::queued).sum()
    }

    /// Returns the number of active runs of the pipeline, without backfill runs.
    pub(crate) fn active(&self, pipeline: &str) -> usize {
        self.pipelines.get(pipeline).map_or(0, PipelineState::active_others)
    }

    pub(crate) fn is_paused(&self, pipeline: &str) -> bool {
        self.pipelines.get(pipeline).is_some_and(PipelineState::is_paused)
    }

    /// Returns when the next interval of any pipeline is due.
    pub(crate) fn next_of_all(&self, now: Timestamp) -> Option<Timestamp> {
        self.pipelines.values().filter_map(|state| state.next_tick(now.to_utc())).min().map(Timestamp::from)
    }

    /// Returns when the pipeline's next interval is due.
    pub(crate) fn next_tick(&self, pipeline: &str, now: Timestamp) -> Option<Timestamp> {
        self.pipelines.get(pipeline)?.next_tick(now.to_utc()).map(Timestamp::from)
    }
}
