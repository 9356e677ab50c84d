//! `list`

use super::output;
use crate::author::asset::When;
use crate::host::NextRun;
use crate::journal::Reader;
use crate::schedule::Schedule;
use crate::{Clock, Pipeline};
use chrono::SecondsFormat;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], json: bool, journal: &Path) -> Result<ExitCode, String> {
    // The pipelines are those of the binary, even if the journal knows nothing of them.
    let reader = journal.exists().then(|| Reader::open(journal)).transpose().map_err(|error| error.to_string())?;
    let paused = reader.as_ref().map(Reader::paused).transpose().map_err(|error| error.to_string())?.unwrap_or_default();
    let now = Clock::system().now().to_utc();
    let mut rows = vec![["pipeline", "schedule", "next run", "waits for", "tags", "description"].map(str::to_owned)];
    for pipeline in pipelines {
        let schedule = pipeline.options().timetable().map_err(|error| error.to_string())?;
        let is_paused = paused.contains(pipeline.id());
        let next =
            NextRun::of(pipeline, schedule.as_ref(), is_paused, reader.as_ref(), now).map_err(|error| error.to_string())?;
        if json {
            output::json(&as_json(pipeline, schedule.as_ref(), is_paused, &next));
        } else {
            rows.push(row(pipeline, schedule.as_ref(), &next));
        }
    }
    if !json {
        // Almost no pipeline waits for another one; then the column is left out.
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

fn row(pipeline: &Pipeline, schedule: Option<&Schedule>, next: &NextRun) -> [String; 6] {
    let options = pipeline.options();
    let schedule = match schedule {
        Some(schedule) => format!("{} ({})", schedule.text(), schedule.zone().name()),
        None => options.when.as_ref().map_or_else(|| "none".to_owned(), |when| format!("when {when}")),
    };
    let next = match next {
        NextRun::NoSchedule => "none".to_owned(),
        NextRun::ByHand => "none: only manually".to_owned(),
        NextRun::Paused => "paused".to_owned(),
        NextRun::Updated => "as it is updated".to_owned(),
        NextRun::At(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        NextRun::Never if options.end.is_some() => "none: its `end` is past".to_owned(),
        NextRun::Never => "none: its calendar has ended".to_owned(),
    };
    let (upstream, tags) = (upstream(pipeline).join(", "), pipeline.tags().join(", "));
    [pipeline.id().to_owned(), schedule, next, upstream, tags, description(pipeline).to_owned()]
}

fn as_json(pipeline: &Pipeline, schedule: Option<&Schedule>, is_paused: bool, next: &NextRun) -> serde_json::Value {
    let at = match next {
        NextRun::At(at) => Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
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

/// Returns the ids of the pipelines whose runs it waits for; none if its plan cannot be built.
fn upstream(pipeline: &Pipeline) -> Vec<&'static str> {
    let Ok(plan) = pipeline.plan(&serde_json::Value::Null) else { return Vec::new() };
    let awaited = plan.across.values().filter(|across| across.run_wait().is_some());
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
    use chrono::DateTime;

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
            NextRun::of(pipeline, schedule.as_ref(), true, None, DateTime::UNIX_EPOCH).unwrap()
        };
        assert_eq!((next(&daily()), next(&daily().unscheduled_unless(false))), (NextRun::Paused, NextRun::ByHand));
    }
}
