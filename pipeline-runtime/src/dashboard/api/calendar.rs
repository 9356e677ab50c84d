//! The intervals of a pipeline, day by day: the run of each, or why it has none.

use super::schedule::{local, schedule_of};
use super::why::HoldReason;
use super::{Problem, QueryString, Site, at, date, parse_time};
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::Holder;
use crate::observe::{DueInterval, Hold};
use crate::read::{JournalReader, ReadError};
use crate::schedule::{Interval, Schedule, Window};
use crate::time::{Timestamp, Zone};
use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The maximum number of intervals that are counted: each minute of two months.
const MAX_INTERVALS: usize = 100_000;
/// The maximum number of intervals that are listed individually; for more, a client requests a day.
const MAX_LISTED: usize = 2_000;
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarQuery {
    from: Option<String>,
    to: Option<String>,
}

pub(super) async fn calendar(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    QueryString(query): QueryString<CalendarQuery>,
) -> Result<Json<Value>, Problem> {
    let now = site.clock.now();
    let (pipeline, schedule, window) = schedule_of(&site.pipelines, &id)?;
    let zone = schedule.zone();
    let to = parse_time(query.to.as_deref(), zone, "to")?.unwrap_or_else(|| now.to_utc() + TimeDelta::days(1));
    let from = parse_time(query.from.as_deref(), zone, "from")?.unwrap_or(to - TimeDelta::days(31));
    let of = Arc::clone(&site);
    site.readers
        .read(move |reader| {
            let newest_runs = reader.journal().newest_between(&id, from.into(), to.into()).map_err(ReadError::from)?;
            let reasons = Reasons::of(&of, reader, &pipeline, &schedule, window)?;
            let mut intervals: Vec<Interval> = schedule.intervals(from, to).take(MAX_INTERVALS + 1).collect();
            let until = intervals.get(MAX_INTERVALS).map(|interval| date(interval.start));
            intervals.truncate(MAX_INTERVALS);
            let is_listed = intervals.len() <= MAX_LISTED;
            let mut days: BTreeMap<NaiveDate, Day> = BTreeMap::new();
            for interval in intervals {
                let day = days.entry(local(interval.start, zone).date_naive()).or_default();
                let run = newest_runs.get(&Timestamp::from(interval.start));
                day.count(run.map(|(_, state)| *state), || reasons.why(interval));
                if is_listed {
                    day.intervals.push(json!({
                        "start": date(interval.start),
                        "end": date(interval.end),
                        "local": local(interval.end, zone).format("%Y-%m-%d %H:%M %:z").to_string(),
                        "run": run.map(|(run_id, _)| format!("{id}/{run_id}")),
                        "state": run.map(|(_, state)| state.name()),
                        "why": if run.is_some() { None } else { Some(reasons.why(interval)) },
                        "held_by": reasons.held_by(interval).filter(|_| run.is_none()).map_or(&[][..], |hold| &hold.runs),
                        "changes_at": reasons.held_by(interval).filter(|_| run.is_none()).and_then(|hold| hold.changes_at).map(at),
                    }));
                }
            }
            let days: Vec<Value> = days.into_iter().map(|(date, day)| day.into_json(date)).collect();
            Ok(Json(json!({
                "now": at(now),
                "timezone": zone.name(),
                "from": date(from),
                "to": date(to),
                "until": until,
                "days": days,
            })))
        })
        .await
}

#[derive(Default)]
struct Day {
    total: u64,
    runs: BTreeMap<&'static str, u64>,
    /// The number of intervals without a run, and why the first of them has none.
    missing: u64,
    why: Option<String>,
    intervals: Vec<Value>,
}

impl Day {
    fn count(&mut self, run: Option<RunState>, why: impl FnOnce() -> Cow<'static, str>) {
        self.total += 1;
        if let Some(state) = run {
            *self.runs.entry(state.name()).or_default() += 1;
        } else {
            self.missing += 1;
            self.why.get_or_insert_with(|| why().into_owned());
        }
    }

    fn into_json(self, date: NaiveDate) -> Value {
        let runs: Map<String, Value> = self.runs.into_iter().map(|(state, count)| (state.to_owned(), count.into())).collect();
        json!({
            "date": date.to_string(),
            "total": self.total,
            "runs": runs,
            "missing": self.missing,
            "why": self.why,
            "intervals": self.intervals,
        })
    }
}

/// The data that explains why an interval has no run.
struct Reasons {
    is_held: bool,
    is_paused: bool,
    now: Timestamp,
    last: Option<Interval>,
    window: Window,
    zone: Zone,
    catchup: bool,
    /// The interval that starts next, if the schedule is followed, and what holds it.
    due: Option<(Interval, Option<HoldReason>)>,
}

impl Reasons {
    fn of(
        site: &Site,
        reader: &JournalReader,
        pipeline: &Pipeline,
        schedule: &Schedule,
        window: Window,
    ) -> Result<Self, Problem> {
        let (id, now) = (pipeline.id(), site.clock.now());
        let is_held = Holder::of(&site.readers.journal).is_some();
        let is_paused = reader.paused()?.contains(id);
        let last = reader.journal().last_scheduled(id, now)?;
        let due = if is_held && !is_paused { DueInterval::of(reader.journal(), pipeline, schedule, window, now)? } else { None };
        let hold = |hold: &Hold| HoldReason::of(site, reader, id, hold, now);
        let due = due.map(|due| Ok::<_, Problem>((due.first, due.hold.as_ref().map(hold).transpose()?))).transpose()?;
        Ok(Self { is_held, is_paused, now, last, window, zone: schedule.zone(), catchup: pipeline.options().catchup, due })
    }

    fn why(&self, interval: Interval) -> Cow<'static, str> {
        if Timestamp::from(interval.end) > self.now {
            return "not over yet".into();
        }
        if !self.window.covers(interval) {
            return "before `start` or after `end` of the pipeline".into();
        }
        let text = match self.last {
            Some(last) if interval.start < last.start && !self.catchup => {
                "no process served, or it was paused, when it was due; without `catchup` only the latest interval runs"
            }
            Some(last) if interval.start < last.start => "its run was deleted, or an earlier schedule had no such interval",
            _ if self.is_paused => "the schedule is paused",
            _ if !self.is_held => "no process follows the schedule",
            _ if !self.catchup && self.last.is_none() && self.due.as_ref().is_none_or(|(due, _)| interval.start < due.start) => {
                "before the schedule was first followed"
            }
            _ => return self.of_due(interval),
        };
        text.into()
    }

    /// Explains an interval after all that have run.
    fn of_due(&self, interval: Interval) -> Cow<'static, str> {
        let Some((due, hold)) = &self.due else { return "it had a run, which was deleted".into() };
        if interval.start < due.start {
            let text =
                if self.catchup { "it had a run, which was deleted" } else { "without `catchup` only the latest interval runs" };
            return text.into();
        }
        let text = hold.as_ref().map_or("a serving process starts it soon", |hold| &hold.text);
        if interval.start == due.start {
            return format!("due: {text}").into();
        }
        format!("due after that of {}, which comes first: {text}", self.day(due.start)).into()
    }

    /// Returns what holds an interval that is due.
    fn held_by(&self, interval: Interval) -> Option<&HoldReason> {
        let (due, hold) = self.due.as_ref()?;
        let is_due = interval.start >= due.start && Timestamp::from(interval.end) <= self.now && self.window.covers(interval);
        hold.as_ref().filter(|_| is_due)
    }

    /// Formats a date in the schedule's zone.
    fn day(&self, start: DateTime<Utc>) -> String {
        let here = local(start, self.zone);
        let form = if here.time() == chrono::NaiveTime::MIN { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
        here.format(form).to_string()
    }
}
