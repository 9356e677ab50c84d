//! `resume`: resumes all unfinished runs in the journal.

use super::metrics::MetricsFile;
use super::runner::RunnerError;
use super::{Progress, RunnerConfig, holder, output};
use crate::Pipeline;
use crate::plan::Accepts;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(
    pipelines: &[Pipeline],
    file: Option<&Path>,
    accepts: Accepts,
    config: &RunnerConfig,
) -> Result<ExitCode, String> {
    let quiet = config.progress == Progress::Json;
    let metrics = file.map(|file| MetricsFile::new(file, &config.journal, quiet)).transpose()?;
    holder::must_exist(&config.journal)?;
    match config.runner(pipelines)?.unfinished(accepts).run() {
        Ok(finished) => {
            if let Some(metrics) = metrics {
                metrics.write_each(finished.reports());
            }
            Ok(finished.exit_code())
        }
        Err(RunnerError::NoPipeline) => {
            output::to_stdout(&format!("nothing to resume in {}", config.journal.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => error.refuse(),
    }
}
