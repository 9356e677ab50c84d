//! `resume` and `retry`: going on with runs that the journal keeps.

use super::args::{self, How};
use super::runner::{Runner, RunnerError};
use crate::Pipeline;
use crate::engine::Edit;
use crate::host::StartError;
use std::path::Path;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

pub(super) fn run(pipelines: &[Pipeline], how: &How, journal: &Path, log: Option<LevelFilter>) -> Result<ExitCode, String> {
    go_on(how, journal, log, |runner| runner.unfinished(pipelines))
}

pub(super) fn edited(
    pipelines: &[Pipeline],
    run: &str,
    edit: Edit,
    how: &How,
    journal: &Path,
    log: Option<LevelFilter>,
) -> Result<ExitCode, String> {
    go_on(how, journal, log, |runner| runner.edit(pipelines, run, edit))
}

fn go_on(how: &How, journal: &Path, log: Option<LevelFilter>, what: impl FnOnce(Runner) -> Runner) -> Result<ExitCode, String> {
    let level = args::log_level(log)?;
    if !journal.exists() {
        return Err(StartError::Journal(crate::JournalError::Missing { path: journal.to_owned() }).to_string());
    }
    let runner = Runner::new().progress(how.progress()).parallelism(how.parallelism).level(level).journal(journal);
    match what(runner).run() {
        Ok(finished) => Ok(finished.exit_code()),
        Err(RunnerError::NoPipeline) => {
            super::output::to_stdout(&format!("nothing to go on with in {}", journal.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(error.to_string()),
    }
}
