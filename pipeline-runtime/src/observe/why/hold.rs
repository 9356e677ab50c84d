//! Why a queued run, or a due interval, has not started: the scheduler's limits, according to the journal.
//!
//! The scheduler itself (`host/scheduler`) is in the process that serves. A reader beside it derives the same from the runs in
//! the journal.

use super::MAX_NAMED;
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{BLOCKED, IntervalRun, JournalError, Reader, RunKind, StoredRun};
use crate::schedule::{Interval, Schedule, Window};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use pipeline_syntax::limits::MAX_ACTIVE_RUNS;
use std::collections::HashSet;

/// The prefix of the reason why a queued run waits.
pub(crate) const TURN: &str = "waits for its turn: ";
/// The same if no process holds the journal.
pub(crate) const TURN_OF_NOBODY: &str = "waits for its turn, and for a process that serves: ";

/// What keeps a run from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The maximum number of runs is active.
    Active { limit: u32, runs: Vec<String> },
    /// The interval before has a run that has not succeeded, in this state.
    Past { run: String, state: &'static str },
}

impl Hold {
    /// Returns the ids of the runs that hold it, oldest first.
    pub(crate) fn runs(&self) -> &[String] {
        match self {
            Self::Active { runs, .. } => runs,
            Self::Past { run, .. } => std::slice::from_ref(run),
        }
    }

    /// Returns the run whose end changes this, if there is one.
    pub(crate) fn awaited(&self) -> Option<&str> {
        match self {
            Self::Active { runs, .. } => runs.first().map(String::as_str),
            Self::Past { run, state } => is_open(state).then_some(run),
        }
    }

    /// Describes the hold, and why the awaited run is still active.
    pub(crate) fn sentence(&self, behind: Option<&str>) -> String {
        let text = match self {
            Self::Active { limit, runs } => {
                let has = if runs.len() == 1 { "has" } else { "have" };
                format!("`max_active_runs = {limit}`, and {} {has} not ended", named(runs))
            }
            Self::Past { run, state } => match *state {
                "failed" => format!("{PAST_TEXT}, `{run}`, failed: it begins once that interval has a run that succeeds"),
                "cancelled" => {
                    format!("{PAST_TEXT}, `{run}`, was cancelled: it begins once that interval has a run that succeeds")
                }
                BLOCKED => format!("{PAST_TEXT}, `{run}`, is blocked"),
                _ => format!("{PAST_TEXT}, `{run}`, has not ended"),
            },
        };
        let behind = self.awaited().zip(behind).map(|(run, why)| format!("; `{run}` is active: {why}"));
        format!("{text}{}", behind.unwrap_or_default())
    }
}

const PAST_TEXT: &str = "`depends_on_past`, and the run of the interval before it";

fn is_open(state: &str) -> bool {
    [RunState::Queued, RunState::Running].iter().any(|open| open.name() == state)
}

fn named(runs: &[String]) -> String {
    let more = runs.len().saturating_sub(MAX_NAMED);
    let mut shown: Vec<String> = runs.iter().take(MAX_NAMED).map(|run| format!("`{run}`")).collect();
    shown.extend((more > 0).then(|| format!("{more} more")));
    match shown.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => shown.concat(),
    }
}

/// Returns what keeps a queued run from starting; `None` if a serving process starts it at once, or its pipeline is unknown here.
///
/// # Errors
///
/// If the journal cannot be read.
pub(crate) fn of_queued(reader: &Reader, pipelines: &[Pipeline], run: &StoredRun) -> Result<Option<Hold>, JournalError> {
    let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline) else { return Ok(None) };
    let is_backfill = run.kind == RunKind::Backfill;
    let limit = run.max_active.filter(|_| is_backfill).unwrap_or(limit_of(pipeline));
    // Like the scheduler, checks the past of a backfill run first: a run that may not start takes no place.
    if is_backfill && pipeline.options().depends_on_past {
        let schedule = pipeline.options().timetable().ok().flatten();
        let before =
            schedule.and_then(|schedule| schedule.last_at_or_before(run.interval.start - chrono::TimeDelta::nanoseconds(1)));
        let past = before.map(|before| past(reader, &run.pipeline, before)).transpose()?.flatten();
        if past.is_some() {
            return Ok(past);
        }
    }
    active(reader, &run.pipeline, is_backfill, limit)
}

fn limit_of(pipeline: &Pipeline) -> u32 {
    pipeline.options().max_active_runs.unwrap_or(MAX_ACTIVE_RUNS)
}

fn active(reader: &Reader, pipeline: &str, backfills: bool, limit: u32) -> Result<Option<Hold>, JournalError> {
    let runs = reader.begun_of(pipeline, backfills)?;
    Ok((runs.len() >= limit as usize).then_some(Hold::Active { limit, runs }))
}

/// Returns what an interval does to its dependents.
fn past(reader: &Reader, pipeline: &str, start: DateTime<Utc>) -> Result<Option<Hold>, JournalError> {
    let of_interval = reader.run_of_interval(pipeline, start.into())?;
    let holds = of_interval.filter(|IntervalRun { state, .. }| *state != RunState::Success.name());
    Ok(holds.map(|IntervalRun { run_id, state }| Hold::Past { run: run_id, state }))
}

/// The first due interval of a schedule, and what keeps its run from starting.
#[derive(Debug, Clone)]
pub(crate) struct DueInterval {
    pub(crate) first: Interval,
    /// `None` if a serving process starts it at once.
    pub(crate) hold: Option<Hold>,
}

impl DueInterval {
    /// Returns what is due at `now`, according to the journal. Whether the pipeline is paused is not checked.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub(crate) fn of(
        reader: &Reader,
        pipeline: &Pipeline,
        schedule: &Schedule,
        window: Window,
        now: Timestamp,
    ) -> Result<Option<Self>, JournalError> {
        let id = pipeline.id();
        let last = reader.last_scheduled(id, now)?;
        let mut due = window.due(schedule, last, now.to_utc()).peekable();
        if due.peek().is_none() {
            return Ok(None);
        }
        let ahead: HashSet<DateTime<Utc>> = reader.scheduled_after(id, last)?.into_iter().map(Timestamp::to_utc).collect();
        let deleted = reader.deleted_after(id, last)?;
        let is_deleted = |start: &DateTime<Utc>| deleted.iter().any(|gone| gone.contains(*start));
        let Some(first) = due.find(|interval| !ahead.contains(&interval.start) && !is_deleted(&interval.start)) else {
            return Ok(None);
        };
        let hold = active(reader, id, false, limit_of(pipeline))?;
        let before = last.map(|last| last.start).into_iter().chain(ahead.into_iter().filter(|start| *start < first.start)).max();
        let hold = match (hold, before.filter(|_| pipeline.options().depends_on_past)) {
            (None, Some(before)) => past(reader, id, before)?,
            (hold, _) => hold,
        };
        Ok(Some(Self { first, hold }))
    }
}
