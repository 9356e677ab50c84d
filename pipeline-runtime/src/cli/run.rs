//! `run`

use super::args::{self, Run};
use super::runner::{Runner, RunnerError};
use super::{choose, metrics, params};
use crate::Pipeline;
use crate::host::StartError;
use std::path::Path;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

pub(super) fn run(pipelines: &[Pipeline], run: &Run, journal: &Path, log: Option<LevelFilter>) -> Result<ExitCode, String> {
    let level = args::log_level(log)?;
    let pipeline = choose::one(pipelines, run.pipeline.as_deref())?;
    let given = params::given(pipeline, &run.about)?;
    let how = &run.how;
    if let Some(file) = &run.metrics {
        metrics::check(file)?;
    }
    let mut runner = Runner::new().progress(how.progress()).parallelism(how.parallelism).level(level);
    runner = runner.pipeline(pipeline.clone(), given).journal(journal).anew(run.new);
    if let Some(date) = &run.about.logical_date {
        runner = runner.logical_date(date);
    }
    match runner.run() {
        Ok(finished) => {
            if let (Some(file), [report]) = (&run.metrics, finished.reports()) {
                metrics::keep(&report.metrics(), file, how.json);
            }
            Ok(finished.exit_code())
        }
        Err(RunnerError::Start(StartError::Plan(error))) => Err(params::blame(pipeline, &run.about, &error)),
        Err(RunnerError::Start(error @ StartError::OtherParams { .. })) => Err(format!("--param: {error}")),
        Err(RunnerError::Start(StartError::Date(error))) => Err(format!("--logical-date: {error}")),
        Err(error) => Err(error.to_string()),
    }
}
