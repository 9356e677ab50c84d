//! `simulate`

use super::args::{self, Simulate};
use super::{choose, output, params};
use crate::observe::logs;
use crate::{Pipeline, RunReport, RunState, Simulation, SimulationError};
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

pub(super) fn run(pipelines: &[Pipeline], simulate: Simulate, log: Option<LevelFilter>) -> Result<ExitCode, String> {
    logs::install(args::log_level(log)?);
    let Simulate { pipeline, about, arrivals, failures, seed } = simulate;
    let pipeline = choose::one(pipelines, pipeline.as_deref())?;
    let given = params::given(pipeline, &about)?;
    let mut simulation = Simulation::new(pipeline.clone()).params(given).seed(seed);
    if let Some(date) = &about.logical_date {
        simulation = simulation.logical_date(date);
    }
    for arrival in arrivals {
        let body = std::fs::read(&arrival.file)
            .map_err(|error| format!("--arrive: cannot read `{}`, what is to arrive: {error}", arrival.file.display()))?;
        simulation = simulation.arrive(&arrival.when, &arrival.url, body);
    }
    for failure in failures {
        simulation = simulation.fail(&failure.node, failure.attempt, &failure.error);
    }
    let report = simulation.try_run().map_err(|error| match error {
        SimulationError::Plan(error) => params::blame(pipeline, &about, &error),
        SimulationError::Date(error) => format!("--logical-date: {error}"),
        SimulationError::Bucket(error) => format!("--arrive: {error}"),
        SimulationError::UnknownNode { .. } => format!("--fail: {error}"),
        error => error.to_string(),
    })?;
    output::to_stdout(&report.timeline());
    Ok(outcome(&report))
}

fn outcome(report: &RunReport) -> ExitCode {
    for node in report.nodes().filter(|node| node.state() == crate::NodeState::Failed) {
        output::to_stderr(&format!("\nerror: node `{}` failed: {}", node.id(), node.error().unwrap_or_default()));
    }
    match report.state() {
        RunState::Success => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
