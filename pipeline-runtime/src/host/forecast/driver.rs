//! The production scheduler on virtual time: what starts when, under the given assumptions.

use super::super::scheduler::{DueRun, EndEffect, JournaledState, Scheduler, Timetable, Turn};
use super::assumptions::{ForecastAssumptions, Period};
use super::holds::{Hold, Holds};
use crate::engine::RunState;
use crate::journal::{RunKey, RunKind};
use crate::schedule::Interval;
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// The maximum number of runs.
const MAX_RUNS: usize = 2_000;

/// A run of the journal that has not ended, or a forecast one.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) turn: Turn,
    /// Its id, if it is in the journal.
    pub(super) id: Option<String>,
    pub(super) begins: Option<Timestamp>,
    pub(super) phase: Phase,
    /// True if its tick came while the schedule was followed.
    pub(super) on_time: bool,
    /// The state in which it is assumed to end.
    pub(super) ends_as: RunState,
    /// What is known of a run of the journal.
    pub(super) notes: Vec<String>,
}

/// How far a run has come at the present time of the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Queued,
    /// Until this time, if a process serves.
    Running(Timestamp),
    /// Its process is stopped, and this much of it is left.
    Interrupted(Duration),
    Ended(Timestamp),
    /// No process of this program can resume it.
    Blocked,
}

/// What the journal knows at the start.
#[derive(Debug, Clone, Default)]
pub(super) struct InitialState {
    pub(super) journaled: JournaledState,
    pub(super) unfinished: Vec<Run>,
    /// The newest outcomes of the intervals that others may wait for.
    pub(super) outcomes: BTreeMap<DateTime<Utc>, RunState>,
}

/// The runs up to the end of the forecast, and what held others up.
#[derive(Debug)]
pub(super) struct DriveResult {
    pub(super) runs: Vec<Run>,
    pub(super) holds: Holds,
    /// If there were too many runs: the time up to which they are listed.
    pub(super) cut_off: Option<Timestamp>,
}

pub(super) struct Driver<'a> {
    timetable: Timetable,
    start: &'a InitialState,
    assumptions: &'a ForecastAssumptions,
    /// The starts of intervals whose runs fail.
    fails: &'a [DateTime<Utc>],
    takes: Duration,
    now: Timestamp,
    /// `None` while no process serves.
    scheduler: Option<Scheduler>,
    runs: Vec<Run>,
    holds: Holds,
    next_key: RunKey,
}

/// There is one pipeline, which needs no name.
const ID: &str = "";

impl<'a> Driver<'a> {
    pub(super) fn new(
        timetable: Timetable,
        start: &'a InitialState,
        assumptions: &'a ForecastAssumptions,
        fails: &'a [DateTime<Utc>],
        takes: Duration,
        now: Timestamp,
    ) -> Self {
        let mut runs = start.unfinished.clone();
        for run in &mut runs {
            if outcome(fails, run.turn.interval) == RunState::Failed {
                run.ends_as = RunState::Failed;
            }
        }
        let next_key = runs.iter().map(|run| run.turn.key).max().unwrap_or_default() + 1;
        Self { timetable, start, assumptions, fails, takes, now, scheduler: None, runs, holds: Holds::default(), next_key }
    }

    pub(super) fn run(mut self, until: Timestamp) -> DriveResult {
        let mut cut_off = None;
        loop {
            self.follow();
            self.end();
            self.begin();
            self.holds.note(self.now, self.hold());
            let Some(next) = self.next_event().filter(|next| *next <= until) else { break };
            if self.runs.len() >= MAX_RUNS {
                cut_off = Some(self.now);
                break;
            }
            self.now = next;
        }
        DriveResult { runs: self.runs, holds: self.holds, cut_off }
    }

    fn hold(&self) -> Option<Hold> {
        match &self.scheduler {
            None => Some(Hold::Stopped),
            // Even while nothing is due: no tick wakes a paused pipeline.
            Some(scheduler) if scheduler.is_paused(ID) => Some(Hold::Paused),
            Some(scheduler) => scheduler.held_by(ID, self.now).map(Hold::Scheduler),
        }
    }

    /// Starts and stops the process, and pauses the pipeline, according to the assumptions.
    fn follow(&mut self) {
        let has = |periods: &[Period]| periods.iter().any(|period| period.contains(self.now));
        let (is_stopped, is_paused) = (has(&self.assumptions.stopped), has(&self.assumptions.paused));
        match &mut self.scheduler {
            Some(_) if is_stopped => self.stop(),
            Some(scheduler) if scheduler.is_paused(ID) != is_paused => scheduler.pause(ID, is_paused, self.now),
            None if !is_stopped => self.serve(is_paused),
            _ => {}
        }
    }

    fn stop(&mut self) {
        self.scheduler = None;
        for run in &mut self.runs {
            if let Phase::Running(until) = run.phase {
                run.phase = Phase::Interrupted(until.since(self.now));
            }
        }
    }

    /// Starts a process, which knows what the journal knows.
    fn serve(&mut self, paused: bool) {
        for run in &mut self.runs {
            if let Phase::Interrupted(left) = run.phase {
                run.phase = Phase::Running(self.now + left);
            }
        }
        let is_open = |run: &&Run| !matches!(run.phase, Phase::Ended(_));
        let mut journaled = self.journaled(paused);
        if self.timetable.depends_on_past {
            journaled.unfinished = self.runs.iter().filter(is_open).map(|run| run.turn).collect();
        }
        let mut scheduler = Scheduler::default();
        scheduler.add(ID, self.timetable.clone(), journaled, Some(self.now));
        for run in self.runs.iter().filter(is_open) {
            match run.phase {
                Phase::Running(_) => scheduler.began(ID, run.turn),
                Phase::Blocked => scheduler.set_aside(ID, run.turn),
                _ => {
                    let before = scheduler.queue(ID, run.turn);
                    if let Some((start, state)) = before.and_then(|start| Some((start, self.outcome(start)?))) {
                        scheduler.outcome(ID, start, state);
                    }
                }
            }
        }
        self.scheduler = Some(scheduler);
    }

    /// Returns what the journal would know of the pipeline's intervals.
    fn journaled(&self, paused: bool) -> JournaledState {
        let mut journaled = JournaledState { paused, ..self.start.journaled.clone() };
        let begun = self.runs.iter().filter(|run| run.turn.kind == RunKind::Scheduled && run.begins.is_some());
        if let Some(run) = begun.max_by_key(|run| run.turn.interval.start)
            && journaled.last.is_none_or(|last| last.start <= run.turn.interval.start)
        {
            journaled.last = Some(run.turn.interval);
            journaled.ahead.retain(|(start, _)| *start > run.turn.interval.start);
        }
        // Whichever run ended last: a backfill may have repaired what a scheduled run left.
        journaled.outcome = journaled.last.and_then(|last| self.outcome(last.start));
        for (start, outcome) in &mut journaled.ahead {
            *outcome = self.outcome(*start);
        }
        journaled
    }

    /// Returns the newest outcome of an interval.
    fn outcome(&self, start: DateTime<Utc>) -> Option<RunState> {
        let ended = self.runs.iter().filter(|run| run.turn.interval.start == start);
        let ended = ended.filter_map(|run| if let Phase::Ended(at) = run.phase { Some((at, run.ends_as)) } else { None });
        ended.max_by_key(|(at, _)| *at).map(|(_, state)| state).or_else(|| self.start.outcomes.get(&start).copied())
    }

    fn end(&mut self) {
        let Some(scheduler) = &mut self.scheduler else { return };
        for run in &mut self.runs {
            if matches!(run.phase, Phase::Running(until) if until <= self.now) {
                run.phase = Phase::Ended(self.now);
                let _: EndEffect = scheduler.ended(ID, run.turn.key, run.ends_as);
            }
        }
    }

    fn begin(&mut self) {
        while let Some(begin) = self.scheduler.as_ref().and_then(|scheduler| scheduler.next(self.now)) {
            let turn = match begin {
                DueRun::Queued { turn, .. } => self.begin_queued(turn),
                DueRun::Interval { interval, on_time, .. } => self.begin_interval(interval, on_time),
                // Updates of assets are not forecast.
                DueRun::Updated { .. } => return,
            };
            if let Some(scheduler) = &mut self.scheduler {
                scheduler.began(ID, turn);
            }
            // A run that takes no time lets others start at once.
            self.end();
            if self.runs.len() >= MAX_RUNS {
                return;
            }
        }
    }

    fn begin_queued(&mut self, turn: Turn) -> Turn {
        let until = self.now + self.takes;
        if let Some(run) = self.runs.iter_mut().find(|run| run.turn.key == turn.key) {
            (run.begins, run.phase) = (Some(self.now), Phase::Running(until));
        }
        turn
    }

    fn begin_interval(&mut self, interval: Interval, on_time: bool) -> Turn {
        let turn = Turn { key: self.next_key, kind: RunKind::Scheduled, interval, max_active: None };
        self.next_key += 1;
        let ends_as = outcome(self.fails, interval);
        let phase = Phase::Running(self.now + self.takes);
        self.runs.push(Run { turn, id: None, begins: Some(self.now), phase, on_time, ends_as, notes: Vec::new() });
        turn
    }

    /// Returns when something may change next.
    fn next_event(&self) -> Option<Timestamp> {
        let periods = self.assumptions.stopped.iter().chain(&self.assumptions.paused);
        let bounds = periods.flat_map(|period| [period.from, period.until]).flatten();
        let ends = self.runs.iter().filter_map(|run| if let Phase::Running(until) = run.phase { Some(until) } else { None });
        let wake = self.scheduler.as_ref().and_then(|scheduler| scheduler.wake(self.now));
        bounds.chain(ends).chain(wake).filter(|at| *at > self.now).min()
    }
}

/// Returns the state in which a run of that interval is assumed to end.
fn outcome(fails: &[DateTime<Utc>], interval: Interval) -> RunState {
    if fails.contains(&interval.start) { RunState::Failed } else { RunState::Success }
}
