//! `cancel`, `skip` and `retry`: edits of one run.

use super::holder::ExecutedBy;
use super::metrics::MetricsFile;
use super::{Progress, RunnerConfig, holder, output};
use crate::engine::Edit;
use crate::host::Command;
use crate::{Pipeline, RunState};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(
    pipelines: &[Pipeline],
    command: &Command,
    file: Option<&Path>,
    config: &RunnerConfig,
) -> Result<ExitCode, String> {
    let quiet = config.progress == Progress::Json;
    let metrics = file.map(|file| MetricsFile::new(file, &config.journal, quiet)).transpose()?;
    holder::must_exist(&config.journal)?;
    let (run, edit) = command.edit().ok_or("this command is not about a run")?;
    let done = holder::execute(&config.journal, command, || {
        Ok(config.runner(pipelines)?.edit(run, edit.clone()).for_command(command).run())
    })?;
    match (&done, &metrics) {
        (ExecutedBy::ThisProcess(finished), Some(metrics)) => {
            finished.reports().iter().for_each(|report| metrics.write(&report.metrics()));
        }
        (ExecutedBy::Holder(_), Some(metrics)) => output::to_stderr(&format!(
            "\nwarning: the metrics were not written to {}, since the process that holds the journal executes the run",
            metrics.named().display()
        )),
        (_, None) => {}
    }
    Ok(match done {
        ExecutedBy::Holder(code) => code,
        // For `cancel`, a cancelled run is a success.
        ExecutedBy::ThisProcess(finished)
            if edit == Edit::Cancel && finished.reports().iter().all(|report| report.state() == RunState::Cancelled) =>
        {
            ExitCode::SUCCESS
        }
        ExecutedBy::ThisProcess(finished) => finished.exit_code(),
    })
}
