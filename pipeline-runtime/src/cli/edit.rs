//! `cancel`, `skip` and `retry`: what is changed about one run.

use super::{Place, asked};
use crate::host::Command;
use crate::{Pipeline, RunState};
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], command: &Command, place: &Place) -> Result<ExitCode, String> {
    asked::must_exist(&place.journal)?;
    let (run, edit) = command.edit().ok_or("this command is about no run")?;
    let done = asked::or_here(&place.journal, command, || Ok(place.runner(pipelines)?.edit(run, edit.clone()).run()))?;
    Ok(match done {
        asked::Done::There(code) => code,
        // Whoever cancels a run wants it cancelled.
        asked::Done::Here(finished) if finished.reports().iter().all(|report| report.state() == RunState::Cancelled) => {
            ExitCode::SUCCESS
        }
        asked::Done::Here(finished) => finished.exit_code(),
    })
}
