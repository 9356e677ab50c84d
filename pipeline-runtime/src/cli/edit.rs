//! `cancel`, `skip` and `retry`: edits of one run.

use super::metrics::MetricsFile;
use super::{Place, Progress, asked, output};
use crate::engine::Edit;
use crate::host::Command;
use crate::{Pipeline, RunState};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], command: &Command, file: Option<&Path>, place: &Place) -> Result<ExitCode, String> {
    let quiet = place.progress == Progress::Json;
    let metrics = file.map(|file| MetricsFile::new(file, &place.journal, quiet)).transpose()?;
    asked::must_exist(&place.journal)?;
    let (run, edit) = command.edit().ok_or("this command is not about a run")?;
    let done =
        asked::or_here(&place.journal, command, || Ok(place.runner(pipelines)?.edit(run, edit.clone()).asked(command).run()))?;
    match (&done, &metrics) {
        (asked::Done::Here(finished), Some(metrics)) => {
            finished.reports().iter().for_each(|report| metrics.keep(&report.metrics()));
        }
        (asked::Done::There(_), Some(metrics)) => output::to_stderr(&format!(
            "\nwarning: the metrics were not written to {}, since the process that holds the journal executes the run",
            metrics.named().display()
        )),
        (_, None) => {}
    }
    Ok(match done {
        asked::Done::There(code) => code,
        // For `cancel`, a cancelled run is a success.
        asked::Done::Here(finished)
            if edit == Edit::Cancel && finished.reports().iter().all(|report| report.state() == RunState::Cancelled) =>
        {
            ExitCode::SUCCESS
        }
        asked::Done::Here(finished) => finished.exit_code(),
    })
}
