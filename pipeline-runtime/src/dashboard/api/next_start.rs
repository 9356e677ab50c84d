//! When a pipeline's next scheduled run starts, or why there is none.

use super::Problem;
use crate::Pipeline;
use crate::host::NextRun;
use crate::read::JournalReader;
use crate::time::Timestamp;

/// When a pipeline's schedule starts its next run, or why it does not.
#[derive(Debug, Default)]
pub(super) struct NextStart {
    pub(super) schedule: Option<String>,
    pub(super) zone: Option<&'static str>,
    pub(super) at: Option<chrono::DateTime<chrono::Utc>>,
    pub(super) text: String,
    pub(super) why: Option<(&'static str, String)>,
}

pub(super) fn of(reader: &JournalReader, pipeline: &Pipeline, is_paused: bool, now: Timestamp) -> Result<NextStart, Problem> {
    let options = pipeline.options();
    let schedule = options.timetable().map_err(|error| Problem::refused(&error.to_string()))?;
    let mut next = NextStart {
        schedule: schedule.as_ref().map(crate::schedule::Schedule::text),
        zone: schedule.as_ref().map(|schedule| schedule.zone().name()),
        ..NextStart::default()
    };
    let mut not = |kind, text: &str| {
        text.clone_into(&mut next.text);
        next.why = Some((kind, text.to_owned()));
    };
    match NextRun::of(pipeline, schedule.as_ref(), is_paused, Some(reader.journal()), now.to_utc())? {
        NextRun::ByHand => not("by_hand", "its schedule is not followed by this program (`.unscheduled_unless`)"),
        NextRun::Paused => not("paused", "its schedule is paused"),
        NextRun::Never if options.end.is_some() => not("schedule_ended", "its `end` is past"),
        NextRun::Never => not("schedule_ended", "its calendar has ended"),
        NextRun::NoSchedule => "no schedule".clone_into(&mut next.text),
        NextRun::Updated => next.text = options.when.as_ref().map(|when| format!("when {when}")).unwrap_or_default(),
        NextRun::At(at) => (next.at, next.text) = (Some(at), schedule.map(|schedule| schedule.describe()).unwrap_or_default()),
    }
    Ok(next)
}
