//! `run`

use super::args::Run;
use super::metrics::MetricsFile;
use super::runner::RunnerError;
use super::{Place, choose, params};
use crate::host::StartError;
use crate::{JournalError, Pipeline};
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], run: &Run, place: &Place) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, run.pipeline.as_deref())?;
    let given = params::given(pipeline, &run.about.given)?;
    let metrics = run.metrics.as_deref().map(|file| MetricsFile::new(file, &place.journal, run.how.json)).transpose()?;
    let mut runner = place.runner(pipelines)?.pipeline(pipeline.clone(), given).anew(run.new);
    if let Some(date) = &run.about.logical_date {
        runner = runner.logical_date(date);
    }
    match runner.run() {
        Ok(finished) => {
            if let (Some(metrics), [report]) = (&metrics, finished.reports()) {
                metrics.keep(&report.metrics());
            }
            Ok(finished.exit_code())
        }
        Err(RunnerError::Start(StartError::Journal(error @ JournalError::Held { .. }))) => {
            let date = run.about.logical_date.as_ref().map(|date| format!(" --logical-date {date}")).unwrap_or_default();
            Err(format!("{error}\n  = help: `trigger {}{date}` asks that process to run it", pipeline.id()))
        }
        Err(RunnerError::Start(StartError::Plan(error))) => Err(params::blame(&run.about.given, &error)),
        Err(RunnerError::Start(error @ StartError::OtherParams { .. })) => Err(format!("--param: {error}")),
        Err(RunnerError::Start(StartError::Date(error))) => Err(format!("--logical-date: {error}")),
        Err(error) => error.refuse(),
    }
}
