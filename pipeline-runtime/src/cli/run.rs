//! `run`

use super::args::{self, Run};
use super::runner::{Runner, RunnerError};
use super::{choose, params};
use crate::Pipeline;
use crate::host::StartError;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

pub(super) fn run(pipelines: &[Pipeline], run: &Run, log: Option<LevelFilter>) -> Result<ExitCode, String> {
    let level = args::log_level(log)?;
    let pipeline = choose::one(pipelines, run.pipeline.as_deref())?;
    let given = params::given(pipeline, &run.about)?;
    // Nothing is kept of runs, so there is none to resume: each is new.
    let Run { new: _, parallelism, .. } = run;
    let mut runner = Runner::new().progress(run.progress()).parallelism(*parallelism).level(level);
    runner = runner.pipeline(pipeline.clone(), given);
    if let Some(date) = &run.about.logical_date {
        runner = runner.logical_date(date);
    }
    match runner.run() {
        Ok(finished) => Ok(finished.exit_code()),
        Err(RunnerError::Start(StartError::Plan(error))) => Err(params::blame(pipeline, &run.about, &error)),
        Err(RunnerError::Start(StartError::Date(error))) => Err(format!("--logical-date: {error}")),
        Err(error) => Err(error.to_string()),
    }
}
