//! `pause` and `unpause`

use super::{asked, choose, output};
use crate::host::{Command, pause};
use crate::journal::SqliteJournal;
use crate::{JournalError, Pipeline};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, paused: bool, journal: &Path) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, id)?;
    asked::must_exist(journal)?;
    let command = Command::Pause { pipeline: pipeline.id().to_owned(), paused };
    loop {
        match SqliteJournal::open(journal) {
            Ok(journal) => {
                let said = pause(&journal, pipeline, paused).map_err(|error| error.to_string())?;
                journal.act(command.act(&said));
                journal.close();
                if let Some(failure) = journal.failure() {
                    return Err(failure.to_string());
                }
                output::to_stdout(&said);
                return Ok(ExitCode::SUCCESS);
            }
            Err(JournalError::Held { .. }) => {
                if let Some(code) = asked::ask_holder(journal, &command)? {
                    return Ok(code);
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}
