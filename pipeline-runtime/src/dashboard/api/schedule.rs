//! The ticks of a pipeline's schedule.

use super::{Problem, QueryString, Site, at, date, parse_time};
use crate::Pipeline;
use crate::read::JournalReader;
use crate::schedule::{Schedule, Window};
use crate::time::Zone;
use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The maximum number of ticks.
const MAX_TICKS: usize = 500;

/// Returns the schedule of a pipeline of this program.
pub(super) fn schedule_of(pipelines: &[Pipeline], id: &str) -> Result<(Pipeline, Schedule, Window), Problem> {
    let pipeline = pipelines.iter().find(|pipeline| pipeline.id() == id);
    let pipeline = pipeline.ok_or_else(|| Problem::not_found(format!("this program has no pipeline `{id}`")))?;
    let refused = |error: String| Problem::refused(&error);
    let schedule = pipeline.options().timetable().map_err(|error| refused(error.to_string()))?;
    let schedule = schedule.ok_or_else(|| Problem::not_found(format!("pipeline `{id}` has no schedule")))?;
    let options = pipeline.options();
    let window = Window::read(options.start, options.end, options.catchup, schedule.zone());
    let window = window.map_err(|error| refused(error.error.to_string()))?;
    Ok((pipeline.clone(), schedule, window))
}

/// Converts a time to the zone of a schedule.
pub(super) fn local(time: DateTime<Utc>, zone: Zone) -> DateTime<chrono::FixedOffset> {
    time.with_timezone(&zone).fixed_offset()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TicksQuery {
    count: Option<usize>,
    at: Option<String>,
}

pub(super) async fn schedule(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    QueryString(query): QueryString<TicksQuery>,
) -> Result<Json<Value>, Problem> {
    let now = site.clock.now();
    let (_, schedule, window) = schedule_of(&site.pipelines, &id)?;
    let zone = schedule.zone();
    // A tick at exactly the requested time is included.
    let requested = parse_time(query.at.as_deref(), zone, "at")?.map(|at| at - TimeDelta::nanoseconds(1));
    let from = requested.unwrap_or_else(|| now.to_utc());
    let is_paused = site.readers.read(move |reader: &JournalReader| Ok(reader.paused()?.contains(&id))).await?;
    let count = query.count.unwrap_or(20).min(MAX_TICKS);
    let mut ticks = Vec::new();
    let mut last = from;
    let mut offset = local(from, zone).offset().local_minus_utc();
    while let Some(tick) = schedule.next_after(last).filter(|_| ticks.len() < count) {
        last = tick;
        let here = local(tick, zone);
        let interval = schedule.interval_ending_at(tick);
        let changed = here.offset().local_minus_utc() - offset;
        offset = here.offset().local_minus_utc();
        let is_outside = interval.is_some_and(|interval| !window.covers(interval));
        let note = match changed {
            _ if is_outside => Some("outside of `start` and `end`: no run".to_owned()),
            _ if is_paused => Some("paused: no run".to_owned()),
            0 => None,
            seconds if seconds > 0 => Some(format!("the clock was put forward by {} min", seconds / 60)),
            seconds => Some(format!("the clock was put back by {} min", -seconds / 60)),
        };
        ticks.push(json!({
            "at": date(tick),
            "interval_start": interval.map(|interval| date(interval.start)),
            "interval_end": interval.map(|interval| date(interval.end)),
            "local": here.format("%a %Y-%m-%d %H:%M:%S %:z").to_string(),
            "note": note,
        }));
    }
    Ok(Json(json!({ "now": at(now), "timezone": zone.name(), "description": schedule.describe(), "ticks": ticks })))
}
