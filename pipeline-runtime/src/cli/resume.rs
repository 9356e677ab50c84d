//! `resume`: resumes all unfinished runs in the journal.

use super::metrics::MetricsFile;
use super::runner::RunnerError;
use super::{Place, Progress, asked, output};
use crate::Pipeline;
use crate::plan::Accepts;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], file: Option<&Path>, accepts: Accepts, place: &Place) -> Result<ExitCode, String> {
    let quiet = place.progress == Progress::Json;
    let metrics = file.map(|file| MetricsFile::new(file, &place.journal, quiet)).transpose()?;
    asked::must_exist(&place.journal)?;
    match place.runner(pipelines)?.unfinished(accepts).run() {
        Ok(finished) => {
            if let Some(metrics) = metrics {
                metrics.keep_each(finished.reports());
            }
            Ok(finished.exit_code())
        }
        Err(RunnerError::NoPipeline) => {
            output::to_stdout(&format!("nothing to resume in {}", place.journal.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => error.refuse(),
    }
}
