//! `resume`: going on with all runs that the journal keeps.

use super::runner::RunnerError;
use super::{Place, asked, output};
use crate::Pipeline;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], place: &Place) -> Result<ExitCode, String> {
    asked::must_exist(&place.journal)?;
    match place.runner(pipelines)?.unfinished().run() {
        Ok(finished) => Ok(finished.exit_code()),
        Err(RunnerError::NoPipeline) => {
            output::to_stdout(&format!("nothing to go on with in {}", place.journal.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => error.refuse(),
    }
}
