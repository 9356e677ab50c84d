//! Which runs are to begin, and when to look again: a plain state machine over what the journal knows of each pipeline.
//!
//! It is told the time and what became of runs, and answers with runs to begin. There is no clock, no database and no engine in
//! it, so that `serve` and tests on virtual time decide by the same code.
//!
//! # Rules
//!
//! - An interval is due at its end. With `catchup` all that were missed are made up for, oldest first; without it the latest alone.
//! - At most `max_active_runs` scheduled and manual runs of a pipeline are active; a backfill has a limit of its own. What has no
//!   place waits: manual runs and backfills in the order in which they were asked for, and intervals as long as they are due.
//! - With `depends_on_past` an interval's run waits until a run of the last scheduled interval has succeeded, and a backfill's
//!   until one of the interval before has. Where there is none before, there is nothing to wait for.
//! - A paused pipeline starts no scheduled run; what was asked for by hand begins all the same.

#[cfg(test)]
mod tests;

use crate::engine::RunState;
use crate::journal::{RunKey, RunKind, StoredRun};
use crate::plan::Plan;
use crate::schedule::{DateError, Interval, Schedule, Window, Zone};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};

/// When a pipeline runs, and how often at once.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    pub(crate) schedule: Option<Schedule>,
    pub(crate) window: Window,
    pub(crate) max_active_runs: u32,
    pub(crate) depends_on_past: bool,
}

impl Timetable {
    pub(crate) fn of(plan: &Plan) -> Result<Self, DateError> {
        let calendar = plan.calendar;
        let zone = plan.schedule.as_ref().map_or(Zone::UTC, Schedule::zone);
        Ok(Self {
            schedule: plan.schedule.clone(),
            window: Window::parse(calendar.start, calendar.end, calendar.catchup, zone)?,
            max_active_runs: calendar.max_active_runs,
            depends_on_past: calendar.depends_on_past,
        })
    }

    /// The interval that ends where this one starts.
    fn before(&self, interval: Interval) -> Option<DateTime<Utc>> {
        self.schedule.as_ref()?.last_at_or_before(interval.start - chrono::TimeDelta::nanoseconds(1))
    }
}

/// A run that has begun or waits for its turn.
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
}

/// What the journal knows of a pipeline when the scheduler starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// The latest interval that has a scheduled run.
    pub(crate) last: Option<Interval>,
    pub(crate) paused: bool,
    /// How the runs of intervals that others depend on have ended, by their start.
    pub(crate) past: Vec<(DateTime<Utc>, RunState)>,
}

/// The state of all pipelines' schedules.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    lines: BTreeMap<String, Line>,
}

/// One pipeline's.
#[derive(Debug)]
struct Line {
    timetable: Timetable,
    /// Whether its schedule is followed, and since when.
    watched_since: Option<DateTime<Utc>>,
    paused: bool,
    last: Option<Interval>,
    /// By the interval's start. Success stays: one run of an interval that succeeded is enough.
    past: BTreeMap<DateTime<Utc>, RunState>,
    active: BTreeMap<RunKey, Turn>,
    /// How many of them are a backfill's: what waits is asked whether it may begin each time that a run has ended.
    active_backfills: usize,
    queue: VecDeque<Turn>,
}

impl Scheduler {
    /// Takes a pipeline on. `watched_since` is none where its schedule is not followed, and only what is asked for runs.
    pub(crate) fn add(&mut self, pipeline: &str, timetable: Timetable, known: Known, watched_since: Option<Timestamp>) {
        let line = Line {
            timetable,
            watched_since: watched_since.map(Timestamp::to_utc),
            paused: known.paused,
            last: known.last,
            past: known.past.into_iter().collect(),
            active: BTreeMap::new(),
            active_backfills: 0,
            queue: VecDeque::new(),
        };
        self.lines.insert(pipeline.to_owned(), line);
    }

    pub(crate) fn knows(&self, pipeline: &str) -> bool {
        self.lines.contains_key(pipeline)
    }

    /// A run that is to begin at `now`. Whoever begins it says so with [`Scheduler::began`] before asking again.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Begin> {
        self.lines.iter_mut().find_map(|(pipeline, line)| line.next(pipeline, now.to_utc()))
    }

    /// When something may become due that is not due at `now`.
    pub(crate) fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.lines.values().filter_map(|line| line.wake(now.to_utc())).min()
    }

    pub(crate) fn began(&mut self, pipeline: &str, turn: Turn) {
        if let Some(line) = self.lines.get_mut(pipeline) {
            line.activate(turn);
        }
    }

    /// A run waits for its turn.
    pub(crate) fn queue(&mut self, pipeline: &str, turn: Turn) {
        if let Some(line) = self.lines.get_mut(pipeline) {
            line.queue.push_back(turn);
        }
    }

    /// A run waits no longer.
    pub(crate) fn unqueue(&mut self, pipeline: &str, key: RunKey) {
        if let Some(line) = self.lines.get_mut(pipeline) {
            line.queue.retain(|turn| turn.key != key);
        }
    }

    /// A run has ended. Says whether others wait because it did not succeed.
    pub(crate) fn ended(&mut self, pipeline: &str, key: RunKey, state: RunState) -> bool {
        let Some(line) = self.lines.get_mut(pipeline) else { return false };
        let Some(turn) = line.deactivate(key) else { return false };
        line.note(turn.interval.start, state);
        line.timetable.depends_on_past && state != RunState::Success && turn.kind != RunKind::Manual
    }

    /// How the run of an interval that others depend on has ended.
    pub(crate) fn past(&mut self, pipeline: &str, start: DateTime<Utc>, state: RunState) {
        if let Some(line) = self.lines.get_mut(pipeline) {
            line.note(start, state);
        }
    }

    /// Its schedule is followed no longer, or again.
    pub(crate) fn pause(&mut self, pipeline: &str, paused: bool, now: Timestamp) {
        let Some(line) = self.lines.get_mut(pipeline) else { return };
        if line.paused && !paused && line.watched_since.is_some() {
            line.watched_since = Some(now.to_utc());
        }
        line.paused = paused;
    }

    /// How many runs are active, and how many wait for their turn.
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.lines.values().fold((0, 0), |(active, queued), line| (active + line.active.len(), queued + line.queue.len()))
    }

    /// How many runs of the pipeline that are no backfill's are active.
    pub(crate) fn active(&self, pipeline: &str) -> usize {
        self.lines.get(pipeline).map_or(0, Line::active_others)
    }

    pub(crate) fn is_paused(&self, pipeline: &str) -> bool {
        self.lines.get(pipeline).is_some_and(|line| line.paused)
    }

    /// When the pipeline's next interval is due.
    pub(crate) fn next_tick(&self, pipeline: &str, now: Timestamp) -> Option<Timestamp> {
        self.lines.get(pipeline)?.wake(now.to_utc())
    }

    fn timetable(&self, pipeline: &str) -> Option<&Timetable> {
        Some(&self.lines.get(pipeline)?.timetable)
    }

    /// The starts of the intervals whose outcome decides whether that run may begin.
    pub(crate) fn depends_on(&self, pipeline: &str, turn: &Turn) -> Option<DateTime<Utc>> {
        let timetable = self.timetable(pipeline)?;
        (timetable.depends_on_past && turn.kind == RunKind::Backfill).then(|| timetable.before(turn.interval)).flatten()
    }
}

impl Line {
    fn next(&mut self, pipeline: &str, now: DateTime<Utc>) -> Option<Begin> {
        if let Some(at) = self.queue.iter().position(|turn| self.may_begin(turn)) {
            let turn = self.queue.remove(at)?;
            return Some(Begin::Queued { pipeline: pipeline.to_owned(), turn });
        }
        let since = self.watched_since.filter(|_| !self.paused && self.has_place())?;
        let schedule = self.timetable.schedule.as_ref()?;
        if self.timetable.depends_on_past
            && let Some(last) = self.last
            && self.past.get(&last.start) != Some(&RunState::Success)
        {
            return None;
        }
        let interval = self.timetable.window.due(schedule, self.last, now).next()?;
        self.last = Some(interval);
        // Nothing later depends on what lies before.
        if self.queue.is_empty() {
            self.past.retain(|start, _| *start >= interval.start);
        }
        Some(Begin::Interval { pipeline: pipeline.to_owned(), interval, on_time: interval.end >= since })
    }

    fn activate(&mut self, turn: Turn) {
        self.deactivate(turn.key);
        self.active_backfills += usize::from(turn.kind == RunKind::Backfill);
        self.active.insert(turn.key, turn);
    }

    fn deactivate(&mut self, key: RunKey) -> Option<Turn> {
        let turn = self.active.remove(&key)?;
        self.active_backfills -= usize::from(turn.kind == RunKind::Backfill);
        Some(turn)
    }

    fn active_others(&self) -> usize {
        self.active.len() - self.active_backfills
    }

    fn has_place(&self) -> bool {
        self.active_others() < self.timetable.max_active_runs as usize
    }

    fn may_begin(&self, turn: &Turn) -> bool {
        if turn.kind != RunKind::Backfill {
            return self.has_place();
        }
        let limit = turn.max_active.unwrap_or(self.timetable.max_active_runs) as usize;
        self.active_backfills < limit && self.past_allows(turn)
    }

    fn past_allows(&self, turn: &Turn) -> bool {
        if !self.timetable.depends_on_past {
            return true;
        }
        let Some(before) = self.timetable.before(turn.interval) else { return true };
        let is_open = |of: &Turn| of.interval.start == before && of.key != turn.key;
        match self.past.get(&before) {
            Some(RunState::Success) => true,
            Some(_) => false,
            None => !self.queue.iter().any(is_open) && !self.active.values().any(is_open),
        }
    }

    fn wake(&self, now: DateTime<Utc>) -> Option<Timestamp> {
        if self.paused || self.watched_since.is_none() {
            return None;
        }
        let schedule = self.timetable.schedule.as_ref()?;
        Some(self.timetable.window.next_due(schedule, self.last, now)?.into())
    }

    fn note(&mut self, start: DateTime<Utc>, state: RunState) {
        if self.timetable.depends_on_past && self.past.get(&start) != Some(&RunState::Success) {
            self.past.insert(start, state);
        }
    }
}
