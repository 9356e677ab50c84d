//! `resume`: going on with all runs that the journal keeps.

use super::runner::RunnerError;
use super::{Place, Progress, asked, metrics, output};
use crate::Pipeline;
use crate::plan::Accepts;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], file: Option<&Path>, accepts: Accepts, place: &Place) -> Result<ExitCode, String> {
    if let Some(file) = file {
        metrics::check(file)?;
    }
    asked::must_exist(&place.journal)?;
    match place.runner(pipelines)?.unfinished(accepts).run() {
        Ok(finished) => {
            if let Some(file) = file {
                metrics::keep_each(finished.reports(), file, place.progress == Progress::Json);
            }
            Ok(finished.exit_code())
        }
        Err(RunnerError::NoPipeline) => {
            output::to_stdout(&format!("nothing to go on with in {}", place.journal.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => error.refuse(),
    }
}
