//! Forecasts the runs of a pipeline's schedule: the production scheduler on virtual time, from the current content of the
//! journal.
//!
//! No body is called and nothing is written. A run takes the median of the last ones, or a given time. Assumptions may state
//! which intervals fail, when no process serves and when the pipeline is paused, and change the options that matter for
//! scheduling.
//!
//! - `assumptions.rs`: the assumptions and their notation.
//! - `driver.rs`: drives the scheduler on virtual time.
//! - `holds.rs`: what kept an interval from starting.
//!
//! # What is not forecast
//!
//! Manually triggered runs, updates of assets, how long a run waits for slots of its pools, and tasks that depend on their own
//! past. A run that is active when a process stops continues with its remaining time when one serves again.

mod assumptions;
mod driver;
mod holds;
#[cfg(test)]
mod tests;

use super::scheduler::{Timetable, Turn};
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{JournalError, RunKind};
use crate::observe::{brief, ms, percentile};
use crate::plan::PlanError;
use crate::read::{JournalReader, ReadError, RunFilter, RunSummary, date};
use crate::schedule::{DateError, Interval, Schedule};
use crate::time::{Timestamp, Zone};
pub(crate) use assumptions::ForecastAssumptions;
use assumptions::{MAX_TICKS, Period};
use chrono::{DateTime, Utc};
use driver::{DriveResult, Driver, InitialState, Phase, Run};
use holds::{Hold, HoldText};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The default number of ticks.
const TICKS: usize = 20;
/// The number of successful runs that the median is taken from.
const LAST: u32 = 20;
/// The maximum number of rows.
const MAX_ROWS: usize = 5_000;
/// The maximum number of unfinished runs read for each state.
const UNFINISHED: u32 = 1_000;

/// Why there is no forecast.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForecastError {
    /// `what` is the assumption as it was written.
    #[error("{what}: {why}")]
    Wrong { what: String, why: String },
    #[error("pipeline `{0}` has no schedule")]
    NoSchedule(String),
    #[error("runs of pipeline `{0}` only start manually: see `.unscheduled_unless`")]
    ByHand(String),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Date(#[from] DateError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The forecast runs, and when they start.
#[derive(Debug)]
pub(crate) struct Forecast {
    pub(crate) zone: Zone,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// The assumed duration of a run.
    pub(crate) takes: Duration,
    /// Ordered by when the interval is due; runs that are already in the journal come first.
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// A run, or an interval without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) interval: Interval,
    pub(crate) kind: RunKind,
    /// Its id, if it is in the journal.
    pub(crate) run: Option<String>,
    pub(crate) begins: Option<Timestamp>,
    pub(crate) ends: Option<Timestamp>,
    /// `success` or `failed` as assumed, `running` (without a process) or `queued` at the end of the forecast, or `none`.
    pub(crate) state: &'static str,
    /// Why it starts late, or not at all, and what else is to be said of it.
    pub(crate) why: Option<String>,
}

impl Forecast {
    /// Forecasts the runs of a pipeline's schedule from `now` on.
    pub(crate) fn of(
        reader: Option<&JournalReader>,
        pipeline: &Pipeline,
        assumptions: &ForecastAssumptions,
        now: Timestamp,
    ) -> Result<Self, ForecastError> {
        let id = pipeline.id();
        if pipeline.options().by_hand {
            return Err(ForecastError::ByHand(id.to_owned()));
        }
        let plan = pipeline.plan(&serde_json::Value::Null)?;
        let mut timetable = Timetable::of(&plan).map_err(|refused| *refused.error)?;
        let Some(schedule) = timetable.schedule.clone() else { return Err(ForecastError::NoSchedule(id.to_owned())) };
        timetable.window.catchup = assumptions.catchup.unwrap_or(timetable.window.catchup);
        timetable.max_active_runs = assumptions.max_active_runs.unwrap_or(timetable.max_active_runs);
        timetable.depends_on_past = assumptions.depends_on_past.unwrap_or(timetable.depends_on_past);
        let (median_duration, is_paused) = match reader {
            Some(reader) => (median_duration(reader, id)?, reader.paused()?.contains(id)),
            None => (None, false),
        };
        let mut assumptions = assumptions.clone();
        let mut notes = Vec::new();
        // A current pause lasts until the first given one ends, or forever.
        if is_paused && !assumptions.paused.iter().any(|period| period.contains(now)) {
            if assumptions.paused.is_empty() {
                notes.push(
                    "the pipeline is paused, and assumed to stay so: suppose that it is paused `..now` to see what would run if it were \
                     unpaused now"
                        .to_owned(),
                );
            }
            let until =
                assumptions.paused.iter().map(|period| period.until).min_by_key(|until| until.unwrap_or(Timestamp::NEVER));
            assumptions.paused.push(Period { from: None, until: until.flatten() });
        }
        let takes = assumptions.takes.or(median_duration).unwrap_or_default();
        if assumptions.takes.or(median_duration).is_none() {
            notes.push("no run has succeeded yet, so each is assumed to end at once: give the duration of a run".to_owned());
        }
        let start = reader.map(|reader| initial_state(reader, pipeline, &timetable, takes, now)).transpose()?.unwrap_or_default();
        let fails = assumptions.failing(&schedule)?;
        let until = until(&schedule, &assumptions, now, &mut notes)?;
        let drive = Driver::new(timetable.clone(), &start, &assumptions, &fails, takes, now).run(until);
        let hold_text = HoldText { zone: schedule.zone(), max_active_runs: timetable.max_active_runs, end: until };
        if let Some(at) = drive.cut_off {
            let date = hold_text.date(at.to_utc());
            notes.push(format!("the forecast ends after {} runs, at {date}: later runs are unknown", drive.runs.len()));
        }
        let until = drive.cut_off.unwrap_or(until);
        let mut rows = rows(&drive, &timetable, &schedule, &start, &hold_text, (now, until));
        let over = rows.len().saturating_sub(MAX_ROWS);
        if over > 0 {
            rows.truncate(MAX_ROWS);
            notes.push(format!("the first {MAX_ROWS} are listed; {over} more are due"));
        }
        let has = |start: &DateTime<Utc>| rows.iter().any(|row| row.interval.start == *start && row.state != "none");
        for start in fails.iter().filter(|start| !has(start)) {
            notes.push(format!(
                "no run of the interval that starts at {} is in the forecast, so none of them fails",
                hold_text.date(*start)
            ));
        }
        Ok(Self { zone: schedule.zone(), from: now, until, takes, rows, notes })
    }
}

impl Forecast {
    /// Serializes the forecast, for the API and for `--json`.
    pub(crate) fn to_json(&self) -> Value {
        let at = |at: Timestamp| date(at.to_utc());
        let rows = self.rows.iter().map(|row| {
            let local = row.interval.end.with_timezone(&self.zone);
            json!({
                "start": date(row.interval.start),
                "end": date(row.interval.end),
                "local": local.format("%a %Y-%m-%d %H:%M:%S %:z").to_string(),
                "kind": row.kind.name(),
                "run": row.run,
                "begins": row.begins.map(at),
                "ends": row.ends.map(at),
                "state": row.state,
                "why": row.why,
            })
        });
        json!({
            "now": at(self.from),
            "until": at(self.until),
            "timezone": self.zone.name(),
            "takes_ms": ms(self.takes),
            "rows": rows.collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// Returns the end of the forecast.
fn until(
    schedule: &Schedule,
    assumptions: &ForecastAssumptions,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<Timestamp, ForecastError> {
    if let Some(until) = assumptions.until.filter(|until| *until < now.to_utc()) {
        let what = format!("until {}", until.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
        return Err(ForecastError::Wrong { what, why: "that is past".to_owned() });
    }
    let ticks = if assumptions.until.is_some() { MAX_TICKS } else { assumptions.ticks.unwrap_or(TICKS) };
    let all = std::iter::successors(schedule.next_after(now.to_utc()), |tick| schedule.next_after(*tick));
    let last = all.take(ticks).take_while(|tick| assumptions.until.is_none_or(|until| *tick <= until)).last();
    match assumptions.until {
        // For a dense schedule, no further than that many ticks.
        Some(until) if last.is_none_or(|last| schedule.next_after(last).is_none_or(|next| next > until)) => Ok(until.into()),
        Some(_) => {
            notes.push(format!("the forecast ends after {MAX_TICKS} ticks"));
            Ok(last.map_or(now, Timestamp::from))
        }
        None => Ok(last.map_or(now, Timestamp::from)),
    }
}

/// Returns how long a run of the pipeline takes: the median of the last successful ones. The time between an end of a run and its
/// retry does not count.
fn median_duration(reader: &JournalReader, id: &str) -> Result<Option<Duration>, ReadError> {
    let runs = reader.runs(&RunFilter::new().pipeline(id).state(RunState::Success).limit(LAST))?;
    let mut took = Vec::new();
    for run in &runs {
        if let Some(whole) = run.finished().and_then(|finished| (finished - run.started()).to_std().ok()) {
            took.push(whole.saturating_sub(reader.journal().idle(run.stored().key)?));
        }
    }
    took.sort_unstable();
    Ok(percentile(&took, 50))
}

/// Reads what the journal knows of a pipeline.
fn initial_state(
    reader: &JournalReader,
    pipeline: &Pipeline,
    timetable: &Timetable,
    takes: Duration,
    now: Timestamp,
) -> Result<InitialState, ForecastError> {
    let depends_on_past = timetable.depends_on_past;
    let journaled = super::dispatch::scheduled(reader.journal(), pipeline.id(), depends_on_past, now)?;
    let ended = journaled.last.map(|last| (last.start, journaled.outcome)).into_iter().chain(journaled.ahead.iter().copied());
    let outcomes = ended.filter_map(|(start, outcome)| Some((start, outcome?))).collect();
    let mut start = InitialState { journaled, outcomes, ..InitialState::default() };
    for state in [RunState::Running, RunState::Queued] {
        let runs = reader.runs(&RunFilter::new().pipeline(pipeline.id()).state(state).limit(UNFINISHED))?;
        for run in &runs {
            let run = unfinished(reader, run, takes, now);
            let before = timetable.before(run.turn.interval).filter(|_| run.turn.kind == RunKind::Backfill);
            if let Some(before) = before.filter(|_| depends_on_past)
                && let Some(outcome) = reader.journal().outcome(pipeline.id(), before.into())?
            {
                start.outcomes.insert(before, outcome);
            }
            start.unfinished.push(run);
        }
    }
    start.unfinished.sort_by_key(|run| run.turn.key);
    Ok(start)
}

fn unfinished(reader: &JournalReader, summary: &RunSummary, takes: Duration, now: Timestamp) -> Run {
    let run = summary.stored();
    // A run that cannot be read has no note.
    let details = if run.state == RunState::Running && run.blocked.is_none() { reader.details(summary).ok() } else { None };
    let idle = details.as_ref().map(|details| details.history().idle()).unwrap_or_default();
    let begins = (run.state == RunState::Running).then(|| run.begun.unwrap_or(run.created));
    let phase = match begins {
        _ if run.blocked.is_some() => Phase::Blocked,
        None => Phase::Queued,
        // A run that takes longer than usual is assumed to end at once.
        Some(begins) => Phase::Interrupted((begins + takes + idle).since(now)),
    };
    let mut notes = Vec::new();
    let mut ends_as = RunState::Success;
    if let Phase::Interrupted(left) = phase {
        let failing = details.as_ref().and_then(|details| Some(details.history().id(details.history().failing()?)));
        if let Some(node) = failing {
            ends_as = RunState::Failed;
            notes.push(format!("`{node}` has failed"));
        }
        if left.is_zero() {
            let ran = now.since(begins.unwrap_or(now)).saturating_sub(idle);
            notes.push(format!("it has run for {}, longer than {}: it is assumed to end now", brief(ran), brief(takes)));
        }
    }
    Run { turn: Turn::of(run), id: Some(run.run_id.clone()), begins, phase, on_time: true, ends_as, notes }
}

/// Returns a row for each run, and for each interval without one.
fn rows(
    drive: &DriveResult,
    timetable: &Timetable,
    schedule: &Schedule,
    start: &InitialState,
    hold_text: &HoldText,
    (now, until): (Timestamp, Timestamp),
) -> Vec<Row> {
    let mut rows: Vec<Row> = drive.runs.iter().map(|run| row(run, drive, hold_text, now)).collect();
    let scheduled = || drive.runs.iter().filter(|run| run.turn.kind == RunKind::Scheduled && run.begins.is_some());
    let begun: BTreeMap<DateTime<Utc>, Interval> = scheduled().map(|run| (run.turn.interval.start, run.turn.interval)).collect();
    let last_begun = begun.last_key_value().map(|(start, _)| *start);
    let from = schedule.last_complete(now.to_utc()).map_or(now.to_utc(), |interval| interval.start);
    let had_run = |start_of: DateTime<Utc>| {
        start.journaled.last.is_some_and(|last| start_of <= last.start)
            || start.journaled.ahead.iter().any(|(ahead, _)| *ahead == start_of)
            || start.journaled.deleted.iter().any(|gone| gone.contains(start_of))
    };
    let over = schedule.intervals(from, until.to_utc()).take_while(|interval| interval.end <= until.to_utc());
    // With `catchup`, intervals that became due long ago are waiting as well.
    let last = scheduled().map(|run| run.turn.interval).chain(start.journaled.last).max_by_key(|interval| interval.start);
    let due = timetable.window.due(schedule, last, until.to_utc());
    let due = due.take_while(|interval| timetable.window.catchup && interval.start < from);
    for interval in due.chain(over).filter(|interval| !begun.contains_key(&interval.start) && !had_run(interval.start)) {
        let window = timetable.window;
        let why = if !window.covers(interval) {
            Some("outside of `start` and `end`".to_owned())
        } else if !window.catchup && last_begun.is_some_and(|last| last > interval.start) {
            Some("a later interval was due: without `catchup` only the latest runs".to_owned())
        } else if drive.cut_off.is_some() {
            // What would happen to it is unknown.
            continue;
        } else {
            drive.holds.between(interval.end.into(), None, hold_text, |_| true)
        };
        rows.push(Row { interval, kind: RunKind::Scheduled, run: None, begins: None, ends: None, state: "none", why });
    }
    rows.sort_by_key(|row| (row.run.is_none(), row.interval.end, row.begins));
    rows
}

fn row(run: &Run, drive: &DriveResult, hold_text: &HoldText, now: Timestamp) -> Row {
    let (ends, state) = match run.phase {
        // Nothing that the forecast knows keeps a run that is active at its end from ending later.
        Phase::Ended(at) | Phase::Running(at) => (Some(at), run.ends_as.name()),
        Phase::Interrupted(_) => (None, RunState::Running.name()),
        Phase::Queued => (None, RunState::Queued.name()),
        Phase::Blocked => (None, crate::journal::BLOCKED),
    };
    // A run that had already started was held in the past.
    let is_new = run.begins.is_none_or(|begins| begins >= now);
    let due = Timestamp::from(run.turn.interval.end).max(now);
    let is_late = is_new && run.begins != Some(due);
    let held = match run.turn.kind {
        _ if !is_late => None,
        RunKind::Scheduled => drive.holds.between(due, run.begins, hold_text, |_| true),
        // Other kinds wait for a process and for their turn, but not for the holds of the schedule.
        _ => {
            let stopped = drive.holds.between(due, run.begins, hold_text, |hold| hold == Hold::Stopped);
            let limit = run.turn.max_active.map_or(hold_text.max_active_runs, |limit| limit.min(hold_text.max_active_runs));
            stopped.or_else(|| Some(format!("it waits for its turn: `max_active_runs = {limit}`")))
        }
    };
    let was_due = Timestamp::from(run.turn.interval.end) < now;
    let late = (!run.on_time).then(|| if was_due { "caught up: it was due before now" } else { "caught up" }.to_owned());
    let why: Vec<String> = late.into_iter().chain(held).chain(run.notes.iter().cloned()).collect();
    Row {
        interval: run.turn.interval,
        kind: run.turn.kind,
        run: run.id.clone(),
        begins: run.begins,
        ends,
        state,
        why: (!why.is_empty()).then(|| why.join("; ")),
    }
}
