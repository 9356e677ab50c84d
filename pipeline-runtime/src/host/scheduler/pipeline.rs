//! The state of one pipeline for the scheduler: its schedule, its active and queued runs, and what keeps others from starting.

use super::intervals::PastIntervals;
use super::queue::Queue;
use super::{DueRun, EndEffect, HoldReason, JournaledState, Timetable, Turn};
use crate::engine::RunState;
use crate::journal::{RunKey, RunKind};
use crate::plan::{AssetCondition, PendingUpdates};
use crate::schedule::Interval;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What the scheduler knows of a pipeline. A run is in `active`, in `queue` or in `not_hosted`, or else it has ended.
#[derive(Debug)]
pub(super) struct PipelineState {
    timetable: Timetable,
    /// Since when its schedule is followed, if it is.
    watched_since: Option<DateTime<Utc>>,
    paused: bool,
    /// Nothing starts before this time.
    held_until: Option<DateTime<Utc>>,
    /// The last interval whose scheduled run has started.
    last: Option<Interval>,
    /// The starts of later intervals whose run started while the calendar read a later date.
    ahead: BTreeSet<DateTime<Utc>>,
    /// Ranges of later intervals whose runs were created in that way and then deleted.
    deleted: Vec<Interval>,
    /// The runs that have started and not ended, including backfill runs.
    active: BTreeMap<RunKey, Turn>,
    /// How many of them are backfill runs, which have a limit of their own.
    active_backfills: usize,
    queue: Queue,
    /// Unfinished runs of the journal that this process does not host.
    not_hosted: BTreeMap<RunKey, Turn>,
    /// For a pipeline that depends on its past; otherwise it stays empty.
    intervals: PastIntervals,
    /// For a pipeline that waits for assets.
    awaits: Option<Box<AssetCondition>>,
}

impl PipelineState {
    pub(super) fn new(timetable: Timetable, mut journaled: JournaledState, watched_since: Option<DateTime<Utc>>) -> Self {
        let mut state = Self {
            timetable,
            watched_since,
            paused: journaled.paused,
            held_until: None,
            last: None,
            ahead: BTreeSet::new(),
            deleted: Vec::new(),
            active: BTreeMap::new(),
            active_backfills: 0,
            queue: Queue::default(),
            not_hosted: BTreeMap::new(),
            intervals: PastIntervals::default(),
            awaits: journaled.awaits.take().map(Box::new),
        };
        for turn in &journaled.unfinished {
            state.count_unfinished(turn);
            state.not_hosted.insert(turn.key, *turn);
        }
        state.scheduled(journaled);
        state
    }

    /// Replaces which intervals have a scheduled run.
    pub(super) fn scheduled(&mut self, journaled: JournaledState) {
        let unwanted = self.last.take().map(|last| last.start).into_iter().chain(std::mem::take(&mut self.ahead));
        let unwanted: Vec<_> = unwanted.collect();
        self.last = journaled.last;
        self.ahead = journaled.ahead.iter().map(|(start, _)| *start).collect();
        self.deleted = journaled.deleted;
        let of_last = journaled.last.map(|last| (last.start, journaled.outcome));
        for (start, outcome) in of_last.into_iter().chain(journaled.ahead) {
            if let Some(outcome) = outcome {
                self.outcome(start, outcome);
            }
        }
        for start in unwanted {
            self.forget_unwanted(Some(start));
        }
    }

    /// Called when the date has changed differently from the monotonic time.
    pub(super) fn calendar_jumped(&mut self, now: DateTime<Utc>) {
        // The hold was meant for a minute of time, and dates no longer measure that.
        self.held_until = None;
        if self.watched_since.is_some() {
            self.watched_since = Some(now);
        }
    }

    pub(super) fn next(&self, pipeline: &str, now: DateTime<Utc>) -> Option<DueRun> {
        if self.is_held(now) {
            return None;
        }
        let other = self.queue.first().filter(|_| self.has_place());
        let backfilled = self.queue.first_backfill(self.active_backfills);
        if let Some(turn) = other.into_iter().chain(backfilled).min_by_key(|turn| turn.key) {
            return Some(DueRun::Queued { pipeline: pipeline.to_owned(), turn });
        }
        let since = self.watched_since.filter(|_| !self.paused && self.has_place())?;
        if let Some(updates) = self.awaits.as_ref().and_then(|awaits| awaits.due()) {
            return Some(DueRun::Updated { pipeline: pipeline.to_owned(), updates });
        }
        let interval = self.due(now)?;
        if self.past_of(interval).is_some() {
            return None;
        }
        Some(DueRun::Interval { pipeline: pipeline.to_owned(), interval, on_time: interval.end >= since })
    }

    /// Returns the first interval that is due.
    fn due(&self, now: DateTime<Utc>) -> Option<Interval> {
        let mut due = self.timetable.window.due(self.timetable.schedule.as_ref()?, self.last, now);
        due.find(|interval| !self.has_run(interval.start))
    }

    /// Returns the start of the interval before, if it keeps this interval's run from starting.
    fn past_of(&self, interval: Interval) -> Option<DateTime<Utc>> {
        let before = self.scheduled_before(interval.start).filter(|_| self.timetable.depends_on_past);
        before.filter(|before| !self.intervals.allows(*before))
    }

    /// Returns what keeps the first due interval from starting, if anything.
    pub(super) fn held_by(&self, now: DateTime<Utc>) -> Option<HoldReason> {
        let interval = self.due(now)?;
        if self.has_place() { self.past_of(interval).map(HoldReason::Past) } else { Some(HoldReason::Places) }
    }

    /// True if the interval had a scheduled run while the calendar read a later date.
    fn has_run(&self, start: DateTime<Utc>) -> bool {
        self.ahead.contains(&start) || self.deleted.iter().any(|stretch| stretch.contains(start))
    }

    /// Returns the last interval before `start` that has a scheduled run.
    fn scheduled_before(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let last = self.last.map(|last| last.start);
        last.into_iter().chain(self.ahead.range(..start).next_back().copied()).max()
    }

    /// Returns when something may become due: the next interval, or the end of a hold.
    pub(super) fn wake(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let held_until = self.held_until.filter(|until| *until > now);
        held_until.into_iter().chain(self.next_tick(now)).min()
    }

    pub(super) fn next_tick(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.paused || self.watched_since.is_none() {
            return None;
        }
        self.timetable.window.next_due(self.timetable.schedule.as_ref()?, self.last, now)
    }

    /// Records that a run starts, or is active again after its end.
    pub(super) fn began(&mut self, turn: Turn) {
        // Added before it is removed, so that the interval never looks finished in between and its dependents are indexed once.
        self.count_unfinished(&turn);
        self.remove(turn.key);
        self.active_backfills += usize::from(turn.is_backfill());
        self.active.insert(turn.key, turn);
        // A run that started while the calendar read a later date does not move `last`.
        let is_later =
            self.last.is_none_or(|last| turn.interval.start > last.start) && !self.ahead.contains(&turn.interval.start);
        if turn.kind == RunKind::Scheduled && is_later {
            let before = self.last.replace(turn.interval);
            let later = self.ahead.split_off(&turn.interval.start);
            for passed in before.map(|last| last.start).into_iter().chain(std::mem::replace(&mut self.ahead, later)) {
                self.forget_unwanted(Some(passed));
            }
        }
        self.update_index(turn.interval.start);
    }

    pub(super) fn queue(&mut self, turn: Turn) -> Option<DateTime<Utc>> {
        self.count_unfinished(&turn);
        self.remove(turn.key);
        self.update_index(turn.interval.start);
        if !turn.is_backfill() {
            self.queue.add(turn);
            return None;
        }
        let before = self.timetable.before(turn.interval).filter(|_| self.timetable.depends_on_past);
        let is_ready = before.is_none_or(|before| self.intervals.allows(before));
        let limit = turn.max_active.unwrap_or(self.timetable.max_active_runs);
        self.queue.add_backfill(turn, limit, before, is_ready);
        before.filter(|before| !self.intervals.is_known(*before))
    }

    /// Records that a run has not ended but will not start here.
    pub(super) fn set_aside(&mut self, turn: Turn) {
        // Added before it is removed, as in `began`.
        self.count_unfinished(&turn);
        self.remove(turn.key);
        if self.timetable.depends_on_past {
            self.not_hosted.insert(turn.key, turn);
        }
    }

    pub(super) fn ended(&mut self, key: RunKey, state: RunState) -> EndEffect {
        let Some(turn) = self.remove(key) else { return EndEffect::Unknown };
        let start = turn.interval.start;
        self.outcome(start, state);
        let is_success = state == RunState::Success || !self.timetable.depends_on_past;
        if is_success || !self.is_wanted(start) { EndEffect::Clear } else { EndEffect::HoldsUp }
    }

    /// Records the newest outcome of an interval. It is stored only if a run waits for it; a later waiter reads it from the
    /// journal.
    pub(super) fn outcome(&mut self, start: DateTime<Utc>, state: RunState) {
        if self.timetable.depends_on_past && self.is_wanted(start) {
            self.intervals.record_outcome(start, state);
        }
        self.update_index(start);
    }

    pub(super) fn hold(&mut self, until: DateTime<Utc>) {
        self.held_until = Some(until);
    }

    pub(super) fn updated(&mut self, asset: &str, id: i64) {
        if let Some(awaits) = &mut self.awaits {
            awaits.record_update(asset, id);
        }
    }

    pub(super) fn consume_updates(&mut self, updates: &[PendingUpdates]) {
        if let Some(awaits) = &mut self.awaits {
            awaits.mark_used(updates);
        }
    }

    pub(super) fn pause(&mut self, paused: bool, now: DateTime<Utc>) {
        if self.paused && !paused && self.watched_since.is_some() {
            self.watched_since = Some(now);
        }
        self.paused = paused;
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn active_others(&self) -> usize {
        self.active.len() - self.active_backfills
    }

    pub(super) fn is_held(&self, now: DateTime<Utc>) -> bool {
        self.held_until.is_some_and(|until| until > now)
    }

    fn has_place(&self) -> bool {
        self.active_others() < self.timetable.max_active_runs as usize
    }

    /// True if a run waits for the outcome of that interval.
    fn is_wanted(&self, start: DateTime<Utc>) -> bool {
        self.queue.has_dependents(start) || self.last.is_some_and(|last| last.start == start) || self.ahead.contains(&start)
    }

    fn forget_unwanted(&mut self, start: Option<DateTime<Utc>>) {
        if let Some(start) = start.filter(|start| !self.is_wanted(*start)) {
            self.intervals.forget_outcome(start);
        }
    }

    /// Counts a run among the unfinished ones of its interval.
    fn count_unfinished(&mut self, turn: &Turn) {
        if self.timetable.depends_on_past {
            self.intervals.run_added(turn.interval.start);
        }
    }

    /// Removes a run, wherever it is.
    fn remove(&mut self, key: RunKey) -> Option<Turn> {
        let turn = if let Some(turn) = self.active.remove(&key) {
            self.active_backfills -= usize::from(turn.is_backfill());
            turn
        } else if let Some((turn, unwanted)) = self.queue.remove(key) {
            self.forget_unwanted(unwanted);
            turn
        } else {
            self.not_hosted.remove(&key)?
        };
        if self.timetable.depends_on_past {
            self.intervals.run_removed(turn.interval.start);
        }
        Some(turn)
    }

    /// Updates the index with what the interval allows now.
    fn update_index(&mut self, start: DateTime<Utc>) {
        if self.timetable.depends_on_past {
            let allows = self.intervals.allows(start);
            self.queue.set_ready(start, allows);
        }
    }

    #[cfg(test)]
    pub(super) fn known_outcomes(&self) -> usize {
        self.intervals.known_outcomes()
    }
}
