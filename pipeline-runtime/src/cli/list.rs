//! `list`

use super::output;
use crate::author::asset::When;
use crate::journal::Reader;
use crate::schedule::{Schedule, Window};
use crate::{Clock, Pipeline};
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// When a schedule begins its next run.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    NoSchedule,
    /// Nobody follows its schedule here.
    ByHand,
    Paused,
    /// As assets are updated.
    Updated,
    At(DateTime<Utc>),
    /// Its `end` is past, or a calendar of its own has ended.
    Never,
}

pub(super) fn run(pipelines: &[Pipeline], json: bool, journal: &Path) -> Result<ExitCode, String> {
    // The pipelines are those of the binary, whether or not anything was kept of them.
    let reader = journal.exists().then(|| Reader::open(journal)).transpose().map_err(|error| error.to_string())?;
    let paused = reader.as_ref().map(Reader::paused).transpose().map_err(|error| error.to_string())?.unwrap_or_default();
    let now = Clock::system().now().to_utc();
    let mut rows = vec![["pipeline", "schedule", "next run", "waits for", "tags", "description"].map(str::to_owned)];
    for pipeline in pipelines {
        let schedule = pipeline.options().timetable().map_err(|error| error.to_string())?;
        let is_paused = paused.contains(pipeline.id());
        let next = next(pipeline, schedule.as_ref(), is_paused, reader.as_ref(), now)?;
        if json {
            output::json(&as_json(pipeline, schedule.as_ref(), is_paused, &next));
        } else {
            rows.push(row(pipeline, schedule.as_ref(), &next));
        }
    }
    if !json {
        // As good as no pipeline waits for another one, and then nothing is said of it.
        if rows[1..].iter().any(|[_, _, _, upstream, ..]| !upstream.is_empty()) {
            output::to_stdout(&output::table(&rows));
        } else {
            let without =
                |[pipeline, schedule, next, _, tags, description]: [String; 6]| [pipeline, schedule, next, tags, description];
            output::to_stdout(&output::table(&rows.into_iter().map(without).collect::<Vec<_>>()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The next tick that a process that serves would run. What was missed before it does not count.
fn next(
    pipeline: &Pipeline,
    schedule: Option<&Schedule>,
    is_paused: bool,
    reader: Option<&Reader>,
    now: DateTime<Utc>,
) -> Result<Next, String> {
    let options = pipeline.options();
    // Before that it is paused: to unpause it changes nothing here.
    if options.by_hand {
        return Ok(Next::ByHand);
    }
    if is_paused {
        return Ok(Next::Paused);
    }
    let Some(schedule) = schedule else {
        return Ok(if options.when.is_some() { Next::Updated } else { Next::NoSchedule });
    };
    let window = Window::read(options.start, options.end, options.catchup, schedule.zone())
        .map_err(|refused| refused.error.to_string())?;
    let last =
        reader.map(|reader| reader.last_scheduled(pipeline.id(), now.into())).transpose().map_err(|error| error.to_string())?;
    Ok(window.next_due(schedule, last.flatten(), now).map_or(Next::Never, Next::At))
}

fn row(pipeline: &Pipeline, schedule: Option<&Schedule>, next: &Next) -> [String; 6] {
    let options = pipeline.options();
    let schedule = match schedule {
        Some(schedule) => format!("{} ({})", schedule.text(), schedule.zone().name()),
        None => options.when.as_ref().map_or_else(|| "none".to_owned(), |when| format!("when {when}")),
    };
    let next = match next {
        Next::NoSchedule => "none".to_owned(),
        Next::ByHand => "none: by hand alone".to_owned(),
        Next::Paused => "paused".to_owned(),
        Next::Updated => "as it is updated".to_owned(),
        Next::At(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Next::Never if options.end.is_some() => "none: its `end` is past".to_owned(),
        Next::Never => "none: its calendar has ended".to_owned(),
    };
    let (upstream, tags) = (upstream(pipeline).join(", "), pipeline.tags().join(", "));
    [pipeline.id().to_owned(), schedule, next, upstream, tags, description(pipeline).to_owned()]
}

fn as_json(pipeline: &Pipeline, schedule: Option<&Schedule>, is_paused: bool, next: &Next) -> serde_json::Value {
    let at = match next {
        Next::At(at) => Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        _ => None,
    };
    serde_json::json!({
        "pipeline": pipeline.id(),
        "schedule": schedule.map(Schedule::text),
        "timezone": schedule.map(|schedule| schedule.zone().name()),
        "when": pipeline.options().when.as_ref().map(When::to_json),
        "paused": is_paused,
        "next_run": at,
        "tags": pipeline.tags(),
        "upstream_pipelines": upstream(pipeline),
        "description": description(pipeline),
    })
}

/// The ids of the pipelines whose runs it waits for. One without a plan has none that are known.
fn upstream(pipeline: &Pipeline) -> Vec<&'static str> {
    let Ok(plan) = pipeline.plan(&serde_json::Value::Null) else { return Vec::new() };
    let awaited = plan.across.values().filter(|across| across.awaits().is_some());
    let ids: BTreeSet<&str> = awaited.map(|across| across.pipeline.id()).collect();
    ids.into_iter().collect()
}

fn description(pipeline: &Pipeline) -> &str {
    pipeline.description().trim().lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[task]
    async fn one() -> Result<u64> {
        Ok(1)
    }

    #[pipeline(schedule = "@daily")]
    fn daily() {
        one();
    }

    #[test]
    fn what_is_begun_by_hand_alone_is_told_before_that_it_is_paused() {
        let next = |pipeline: &Pipeline| {
            let schedule = pipeline.options().timetable().unwrap();
            next(pipeline, schedule.as_ref(), true, None, DateTime::UNIX_EPOCH).unwrap()
        };
        assert_eq!((next(&daily()), next(&daily().unscheduled_unless(false))), (Next::Paused, Next::ByHand));
    }
}
