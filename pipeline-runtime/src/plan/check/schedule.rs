//! The schedule and the bounds of a pipeline.

use super::super::build::Sketch;
use super::super::pipeline_options;
use super::super::problem::Problem;
use crate::author::pipeline::Pipeline;
use crate::schedule::{ScheduleError, Zone, parse_date, parse_zone};
use crate::time::zones_sought;
use chrono::{DateTime, Utc};
use pipeline_syntax::date;

/// The time from which a custom calendar is probed, if the pipeline has no `start`.
const ASKED_FROM: DateTime<Utc> = DateTime::UNIX_EPOCH;

pub(super) fn schedule(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    if let Some(error) = &sketch.schedule_error {
        let (what, help) = match error {
            // The macro accepted the zone, so the machine that built this binary knew it.
            ScheduleError::Zone { .. } => {
                let sought = zones_sought();
                let help = "if the machine that built this binary knows it, update the time zone data (tzdata) of this one";
                ("time zone", format!("{help} ({sought})"))
            }
            ScheduleError::Every { .. } => (
                "schedule",
                "write `from` as a day, or as a time that the zone's clock shows once, or with its offset".to_owned(),
            ),
            _ => ("schedule", "write five fields (minute hour day month weekday) and an IANA time zone".to_owned()),
        };
        let message = format!("the {what} of pipeline `{}` cannot be used: {error}", pipeline.id());
        problems.push(pipeline_options::at_pipeline(Problem::new(message, help), pipeline, &["schedule", "timezone"]));
    }
    if let Some(schedule) = &sketch.plan.schedule {
        let options = pipeline.options();
        let from = options.start.and_then(|start| parse_date(start, schedule.zone()).ok()).unwrap_or(ASKED_FROM);
        if let Some(why) = schedule.fault(from) {
            let message = format!("the schedule of pipeline `{}` cannot be used: {why}", pipeline.id());
            let help = "a `Timetable` gives the same intervals in both directions, in order, and each longer than nothing";
            problems.push(pipeline_options::at_pipeline(Problem::new(message, help), pipeline, &["schedule"]));
        }
    }
}

/// The macro accepted both bounds, with the time zones of the machine that built this binary.
pub(super) fn window(pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let options = pipeline.options();
    let Ok(zone) = options.timezone.map_or(Ok(Zone::UTC), parse_zone) else { return };
    if let Err(refused) = date::window(options.start, options.end, &zone) {
        let message = format!("the `{}` of pipeline `{}` cannot be used: {}", refused.option, pipeline.id(), refused.error);
        let help = "a bound is a day, `2024-01-31`, or a time, `2024-01-31T06:00:00Z`, and `end` is not before `start`";
        problems.push(pipeline_options::at_pipeline(Problem::new(message, help), pipeline, &[refused.option, "timezone"]));
    }
}
