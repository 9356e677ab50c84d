//! What a pipeline's schedule would begin, and when: the scheduler of production on virtual time, from what the journal knows now.
//!
//! No body is called and nothing is written. Runs take as long as half of the last ones did, or as long as is said; which intervals fail, when no
//! process serves and when the pipeline is paused may be supposed, and so may the options that decide about it.
//!
//! - `supposed.rs`: what may be supposed, and how it is written.
//! - `course.rs`: the driver of the scheduler.
//! - `holds.rs`: what kept an interval from beginning.
//!
//! # What is not known
//!
//! Runs that somebody asks for, updates of assets, and how long a run waits for its pools' slots. What is under way when a process stops goes on when
//! one serves again, with what was left of it.

mod course;
mod holds;
mod supposed;
#[cfg(test)]
mod tests;

use super::scheduler::{Timetable, Turn};
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{JournalError, RunKind, StoredRun};
use crate::observe::percentile;
use crate::plan::PlanError;
use crate::read::{JournalReader, ReadError, RunFilter};
use crate::schedule::{DateError, Interval, Schedule};
use crate::time::{Timestamp, Zone};
use chrono::{DateTime, Utc};
use course::{Course, Driver, Is, Run, Start};
use holds::Words;
use std::collections::BTreeMap;
use std::time::Duration;
pub(crate) use supposed::Supposed;
use supposed::{MAX_TICKS, Stretch};

/// So many ticks are looked ahead where nobody says how many.
const TICKS: usize = 20;
/// The median is of so many runs that succeeded.
const LAST: u32 = 20;
/// So many intervals are told that were due before and wait.
const MAX_WAITING: usize = 1_000;
/// So many unfinished runs of each state are looked at.
const UNFINISHED: u32 = 1_000;

/// Why nothing can be foretold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForecastError {
    /// With how it is written.
    #[error("{what}: {why}")]
    Wrong { what: String, why: String },
    #[error("pipeline `{0}` has no schedule")]
    NoSchedule(String),
    #[error("runs of pipeline `{0}` begin by hand alone: see `.unscheduled_unless`")]
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

/// What would run, and when.
#[derive(Debug)]
pub(crate) struct Forecast {
    pub(crate) zone: Zone,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// How long a run is taken to be.
    pub(crate) takes: Duration,
    /// By when its interval is due, and those that the journal has before.
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// A run, or an interval that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) interval: Interval,
    pub(crate) kind: RunKind,
    /// Its id, where the journal has it.
    pub(crate) run: Option<String>,
    pub(crate) begins: Option<Timestamp>,
    pub(crate) ends: Option<Timestamp>,
    /// `success` or `failed` as is supposed, `running` or `queued` at the end of what is looked at, or `none`.
    pub(crate) state: &'static str,
    /// Why it begins later than it is due, or not at all.
    pub(crate) why: Option<String>,
}

impl Forecast {
    /// What the schedule of a pipeline would begin from `now` on.
    pub(crate) fn of(
        reader: Option<&JournalReader>,
        pipeline: &Pipeline,
        supposed: &Supposed,
        now: Timestamp,
    ) -> Result<Self, ForecastError> {
        let id = pipeline.id();
        if pipeline.options().by_hand {
            return Err(ForecastError::ByHand(id.to_owned()));
        }
        let plan = pipeline.plan(&serde_json::Value::Null)?;
        let mut timetable = Timetable::of(&plan).map_err(|refused| *refused.error)?;
        let Some(schedule) = timetable.schedule.clone() else { return Err(ForecastError::NoSchedule(id.to_owned())) };
        timetable.window.catchup = supposed.catchup.unwrap_or(timetable.window.catchup);
        timetable.max_active_runs = supposed.max_active_runs.unwrap_or(timetable.max_active_runs);
        timetable.depends_on_past = supposed.depends_on_past.unwrap_or(timetable.depends_on_past);
        let (usual, is_paused) = match reader {
            Some(reader) => (usual(reader, id)?, reader.paused()?.contains(id)),
            None => (None, false),
        };
        let mut supposed = supposed.clone();
        // A pause of now ends as is supposed, or lasts.
        if is_paused && !supposed.paused.iter().any(|stretch| stretch.has(now)) {
            supposed.paused.push(Stretch::ALWAYS);
        }
        let mut notes = Vec::new();
        let takes = supposed.takes.or(usual).unwrap_or_default();
        if supposed.takes.or(usual).is_none() {
            notes.push("no run has succeeded yet, so each is taken to be over at once: say how long one takes".to_owned());
        }
        let start = reader.map(|reader| start(reader, pipeline, &timetable, takes, now)).transpose()?.unwrap_or_default();
        let until = until(&schedule, &supposed, now);
        let course = Driver::new(timetable.clone(), &start, &supposed, takes, now).run(until);
        let words = Words { zone: schedule.zone(), max_active_runs: timetable.max_active_runs, end: until };
        if let Some(at) = course.cut_off {
            notes.push(format!("it is cut off after {} runs, at {}", course.runs.len(), words.date(at.to_utc())));
        }
        let until = course.cut_off.unwrap_or(until);
        let rows = rows(&course, &timetable, &schedule, &start, &words, (now, until));
        Ok(Self { zone: schedule.zone(), from: now, until, takes, rows, notes })
    }
}

/// Until when it is looked ahead.
fn until(schedule: &Schedule, supposed: &Supposed, now: Timestamp) -> Timestamp {
    let ticks = if supposed.until.is_some() { MAX_TICKS } else { supposed.ticks.unwrap_or(TICKS) };
    let all = std::iter::successors(schedule.next_after(now.to_utc()), |tick| schedule.next_after(*tick));
    let last = all.take(ticks).take_while(|tick| supposed.until.is_none_or(|until| *tick <= until)).last();
    match supposed.until {
        // Of a schedule of each second, no further than so many ticks.
        Some(until) if last.is_none_or(|last| schedule.next_after(last).is_none_or(|next| next > until)) => until.into(),
        _ => last.map_or(now, Timestamp::from),
    }
}

/// How long a run of the pipeline takes: the median of those that succeeded last.
fn usual(reader: &JournalReader, id: &str) -> Result<Option<Duration>, ReadError> {
    let runs = reader.runs(&RunFilter::new().pipeline(id).state(RunState::Success).limit(LAST))?;
    let mut took: Vec<Duration> = runs.iter().filter_map(|run| (run.finished()? - run.started()).to_std().ok()).collect();
    took.sort_unstable();
    Ok(percentile(&took, 50))
}

/// What the journal knows of a pipeline.
fn start(
    reader: &JournalReader,
    pipeline: &Pipeline,
    timetable: &Timetable,
    takes: Duration,
    now: Timestamp,
) -> Result<Start, ForecastError> {
    let depends_on_past = timetable.depends_on_past;
    let known = super::dispatch::scheduled(reader.journal(), pipeline.id(), depends_on_past, now)?;
    let mut start = Start { known, ..Start::default() };
    for state in [RunState::Running, RunState::Queued] {
        let runs = reader.runs(&RunFilter::new().pipeline(pipeline.id()).state(state).limit(UNFINISHED))?;
        for run in &runs {
            let run = unfinished(run.stored(), takes, now);
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

fn unfinished(run: &StoredRun, takes: Duration, now: Timestamp) -> Run {
    let begins = (run.state == RunState::Running).then(|| run.begun.unwrap_or(run.created));
    let is = match begins {
        _ if run.blocked.is_some() => Is::Blocked,
        None => Is::Queued,
        // One that takes longer than usual is over in a moment.
        Some(begins) => Is::Interrupted((begins + takes).since(now)),
    };
    Run { turn: Turn::of(run), id: Some(run.run_id.clone()), begins, is, on_time: true, ends_as: RunState::Success }
}

/// A row for each run, and for each interval without one.
fn rows(
    course: &Course,
    timetable: &Timetable,
    schedule: &Schedule,
    start: &Start,
    words: &Words,
    (now, until): (Timestamp, Timestamp),
) -> Vec<Row> {
    let mut rows: Vec<Row> = course.runs.iter().map(|run| row(run, course, words, now)).collect();
    let scheduled = || course.runs.iter().filter(|run| run.turn.kind == RunKind::Scheduled && run.begins.is_some());
    let begun: BTreeMap<DateTime<Utc>, Interval> = scheduled().map(|run| (run.turn.interval.start, run.turn.interval)).collect();
    let last_begun = begun.last_key_value().map(|(start, _)| *start);
    let from = schedule.last_complete(now.to_utc()).map_or(now.to_utc(), |interval| interval.start);
    let had_run = |start_of: DateTime<Utc>| {
        start.known.last.is_some_and(|last| start_of <= last.start)
            || start.known.ahead.iter().any(|(ahead, _)| *ahead == start_of)
            || start.known.deleted.iter().any(|gone| gone.contains(start_of))
    };
    let over = schedule.intervals(from, until.to_utc()).take_while(|interval| interval.end <= until.to_utc());
    // With `catchup`, what has come due long before waits, too.
    let last = scheduled().map(|run| run.turn.interval).chain(start.known.last).max_by_key(|interval| interval.start);
    let due = timetable.window.due(schedule, last, until.to_utc());
    let due = due.take_while(|interval| timetable.window.catchup && interval.start < from).take(MAX_WAITING);
    for interval in due.chain(over).filter(|interval| !begun.contains_key(&interval.start) && !had_run(interval.start)) {
        let window = timetable.window;
        let why = if !window.covers(interval) {
            Some("outside of `start` and `end`".to_owned())
        } else if !window.catchup && last_begun.is_some_and(|last| last > interval.start) {
            Some("a later interval was due: without `catchup` the latest alone is made up for".to_owned())
        } else {
            course.holds.between(interval.end.into(), None, words)
        };
        rows.push(Row { interval, kind: RunKind::Scheduled, run: None, begins: None, ends: None, state: "none", why });
    }
    rows.sort_by_key(|row| (row.run.is_none(), row.interval.end, row.begins));
    rows
}

fn row(run: &Run, course: &Course, words: &Words, now: Timestamp) -> Row {
    let (ends, state) = match run.is {
        Is::Ended(at) => (Some(at), run.ends_as.name()),
        Is::Running(_) | Is::Interrupted(_) => (None, RunState::Running.name()),
        Is::Queued => (None, RunState::Queued.name()),
        Is::Blocked => (None, crate::journal::BLOCKED),
    };
    // What the journal has begun already was held by what is past.
    let is_new = run.begins.is_none_or(|begins| begins >= now);
    let due = Timestamp::from(run.turn.interval.end).max(now);
    let is_late = is_new && run.begins != Some(due);
    let held = match run.turn.kind {
        _ if !is_late => None,
        RunKind::Scheduled => course.holds.between(due, run.begins, words),
        // Others wait for their turn, and not for what holds the schedule.
        _ => Some("it waits for its turn".to_owned()),
    };
    let late = (!run.on_time).then(|| "made up for".to_owned());
    let why: Vec<String> = late.into_iter().chain(held).collect();
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
