//! `run`: runs a pipeline once, or resumes its unfinished run.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::common_args::{ExecutionArgs, RunInputArgs};
use super::metrics::MetricsFile;
use super::runner::RunnerError;
use super::{RunnerConfig, choose, params};
use crate::host::StartError;
use crate::{JournalError, Pipeline};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    #[command(flatten)]
    pub(super) inputs: RunInputArgs,
    /// Start a new run even if an unfinished one could be resumed
    #[arg(long)]
    pub(super) new: bool,
    /// Print run metrics at the end and write them to FILE: JSON if it ends in .json, otherwise Prometheus text
    ///
    /// Also for a run that failed or was interrupted. FILE is replaced atomically by way of a temporary file in its folder, which
    /// must exist. Anything but a regular file, such as a pipe, is refused, and so are the files of the journal.
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,
    #[command(flatten)]
    pub(super) execution: ExecutionArgs,
}

pub(super) fn run(pipelines: &[Pipeline], args: &RunArgs, config: &RunnerConfig) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, args.pipeline.as_deref())?;
    let given = params::parse(pipeline, &args.inputs.params)?;
    let metrics = args.metrics.as_deref().map(|file| MetricsFile::new(file, &config.journal, args.execution.json)).transpose()?;
    let mut runner = config.runner(pipelines)?.pipeline(pipeline.clone(), given).anew(args.new);
    if let Some(date) = &args.inputs.logical_date {
        runner = runner.logical_date(date);
    }
    match runner.run() {
        Ok(finished) => {
            if let (Some(metrics), [report]) = (&metrics, finished.reports()) {
                metrics.write(&report.metrics());
            }
            Ok(finished.exit_code())
        }
        Err(RunnerError::Start(StartError::Journal(error @ JournalError::Held { .. }))) => {
            let date = args.inputs.logical_date.as_ref().map(|date| format!(" --logical-date {date}")).unwrap_or_default();
            Err(format!("{error}\n  = help: `trigger {}{date}` asks that process to run it", pipeline.id()))
        }
        Err(RunnerError::Start(StartError::Plan(error))) => Err(params::describe_error(&args.inputs.params, &error)),
        Err(RunnerError::Start(error @ StartError::OtherParams { .. })) => Err(format!("--param: {error}")),
        Err(RunnerError::Start(StartError::Date(error))) => Err(format!("--logical-date: {error}")),
        Err(error) => error.refuse(),
    }
}
