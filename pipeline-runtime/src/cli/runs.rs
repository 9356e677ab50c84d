//! `runs` and `show`: what the journal keeps, read beside whoever writes it.

use super::{choose, output, summary};
use crate::Pipeline;
use crate::host::Resumed;
use crate::journal::{Filter, Reader, StoredRun};
use crate::observe::RunHistory;
use chrono::SecondsFormat;
use humantime::format_duration;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn list(filter: &Filter, json: bool, journal: &Path) -> Result<ExitCode, String> {
    let reader = Reader::open(journal).map_err(|error| error.to_string())?;
    let runs = reader.runs(filter).map_err(|error| error.to_string())?;
    if json {
        for run in &runs {
            output::to_stdout(&as_json(run).to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["run", "pipeline", "state", "started", "took", "params"].map(str::to_owned)];
    rows.extend(runs.iter().map(row));
    output::to_stdout(&output::table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn row(run: &StoredRun) -> [String; 6] {
    let params = if run.params.is_null() { String::new() } else { run.params.to_string() };
    let took = run.finished.map(|finished| whole(finished.since(run.created))).unwrap_or_default();
    let started = run.created.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true);
    [run.run_id.clone(), run.pipeline.clone(), run.state.to_string(), started, took, params]
}

/// A duration without what is too small to matter.
fn whole(took: Duration) -> String {
    let coarse = if took < Duration::from_secs(1) {
        Duration::from_millis(u64::from(took.subsec_millis()))
    } else {
        Duration::from_secs(took.as_secs())
    };
    format_duration(coarse).to_string()
}

fn as_json(run: &StoredRun) -> serde_json::Value {
    let date = |time: crate::Timestamp| time.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
    serde_json::json!({
        "run_id": run.run_id,
        "pipeline": run.pipeline,
        "kind": run.kind,
        "state": run.state,
        "logical_date": run.interval.start,
        "data_interval_end": run.interval.end,
        "params": run.params,
        "started": date(run.created),
        "finished": run.finished.map(date),
    })
}

pub(super) fn show(pipelines: &[Pipeline], run_id: &str, journal: &Path) -> Result<ExitCode, String> {
    let reader = Reader::open(journal).map_err(|error| error.to_string())?;
    let run = reader.run(run_id).map_err(|error| error.to_string())?;
    let run = run.ok_or_else(|| format!("the journal {} has no run `{run_id}`; `runs` lists those it has", journal.display()))?;
    let pipeline = choose::one(pipelines, Some(&run.pipeline))?;
    let resumed = Resumed::read(&reader, pipeline, &run).map_err(|error| error.to_string())?;
    let history = RunHistory::of(resumed.spec.plan, run.created, &resumed.entries);
    let params = if run.params.is_null() { String::new() } else { format!(", params {}", run.params) };
    output::to_stdout(&format!("run {run_id} of {}: {}, data interval {}{params}", run.pipeline, run.state, run.interval));
    let now = crate::Clock::system().now();
    output::to_stdout(&format!("\n{}", summary::drawn(&history, now.since(run.created))));
    let waiting = summary::waiting(&history, now.since(run.created));
    for text in [waiting, summary::failures(&history)].iter().filter(|text| !text.is_empty()) {
        output::to_stdout(&format!("\n{}", text.trim_end()));
    }
    Ok(ExitCode::SUCCESS)
}
