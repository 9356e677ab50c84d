//! `simulate`: runs a pipeline on virtual time.

mod args;

pub(super) use args::SimulateArgs;

use super::metrics::MetricsFile;
use super::{choose, output, params, summary};
use crate::observe::logs::{self, Logging};
use crate::{Pipeline, RunReport, RunState, Simulation, SimulationError};
use args::{Arrival, AssetUpdate, OtherPipelineRun};
use pipeline_syntax::suggest;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(
    pipelines: &[Pipeline],
    args: SimulateArgs,
    logging: Result<Logging, String>,
    journal: &Path,
) -> Result<ExitCode, String> {
    logs::install(logging?);
    let SimulateArgs {
        pipeline,
        inputs,
        arrivals,
        ran,
        updates,
        failures,
        stubs,
        settings,
        latencies,
        outages,
        seed,
        metrics: file,
    } = args;
    let metrics = file.as_deref().map(|file| MetricsFile::new(file, journal, false)).transpose()?;
    let pipeline = choose::one(pipelines, pipeline.as_deref())?;
    let given = params::parse(pipeline, &inputs.params)?;
    let mut simulation = Simulation::new(pipeline.clone()).params(given).seed(seed);
    if let Some(date) = &inputs.logical_date {
        simulation = simulation.logical_date(date);
    }
    for arrival in arrivals {
        simulation = simulation.arrive(&arrival.when, &arrival.url, content(&arrival)?);
    }
    for OtherPipelineRun { when, pipeline, run } in ran {
        let other = pipelines.iter().find(|known| known.id() == pipeline).ok_or_else(|| unknown(pipelines, &pipeline))?;
        simulation = simulation.ran(&when, other, run);
    }
    for AssetUpdate { when, asset, value } in updates {
        simulation = simulation.updated_json(&when, &asset, &value);
    }
    for failure in failures {
        simulation = simulation.fail(&failure.node, failure.attempt, &failure.error);
    }
    let stubbed: Vec<String> = stubs.iter().map(|(node, _)| node.clone()).collect();
    for (node, value) in stubs {
        simulation = simulation.stub_json(&node, value);
    }
    for (name, value) in settings {
        simulation = simulation.setting_text(&name, &value);
    }
    for (bucket, latency) in latencies {
        simulation = simulation.latency(&bucket, &latency);
    }
    for outage in outages {
        simulation = simulation.outage(&outage.bucket, &outage.from, &outage.until);
    }
    let report = simulation.try_run().map_err(|error| match error {
        SimulationError::Plan(error) => params::describe_error(&inputs.params, &error),
        SimulationError::Date(error) => format!("--logical-date: {error}"),
        SimulationError::Bucket(error) => format!("--arrive, --latency, --outage: {error}"),
        SimulationError::UnknownNode { ref id, .. } if stubbed.contains(id) => format!("--stub: {error}"),
        SimulationError::UnknownNode { .. } => format!("--fail: {error}"),
        SimulationError::Setting { .. } => format!("--setting: {error}"),
        SimulationError::StubJson { .. } => format!("--stub: {error}"),
        SimulationError::WrongRun { .. } => format!("--ran: {error}"),
        SimulationError::UnknownAsset { .. } | SimulationError::Update { .. } => format!("--updated: {error}"),
        error => error.to_string(),
    })?;
    output::to_stdout(&report.history().timeline());
    if let Some(metrics) = metrics {
        metrics.write(&report.metrics());
    }
    let code = outcome(&report);
    for warning in report.warnings() {
        output::to_stderr(&format!("\nwarning: {warning}"));
    }
    Ok(code)
}

/// Reads the file that is to arrive.
fn content(arrival: &Arrival) -> Result<Vec<u8>, String> {
    std::fs::read(&arrival.file)
        .map_err(|error| format!("--arrive: cannot read `{}`, what is to arrive: {error}", arrival.file.display()))
}

fn unknown(pipelines: &[Pipeline], id: &str) -> String {
    let ids: Vec<&str> = pipelines.iter().map(Pipeline::id).collect();
    format!("--ran: no pipeline has the id `{id}`; {}", suggest::hint(id, &ids))
}

fn outcome(report: &RunReport) -> ExitCode {
    let failures = summary::failures(report.history());
    if !failures.is_empty() {
        output::to_stderr(&format!("\n{}", failures.trim_end()));
    }
    match report.state() {
        RunState::Success => ExitCode::SUCCESS,
        RunState::Running => {
            output::to_stderr(
                "\nerror: the run still waits after 400 days; `--arrive`, `--ran` and `--updated` provide what it waits for",
            );
            ExitCode::FAILURE
        }
        _ => ExitCode::FAILURE,
    }
}
