//! Commands that the holder of the journal carries out: another process, or this one if there is none.

use super::output;
use super::runner::{Finished, RunnerError};
use crate::JournalError;
use crate::host::{Answer, Command, StartError, ask};
use crate::journal::SqliteJournal;
use std::path::Path;
use std::process::ExitCode;

/// Executes the command here, or asks the holder to. Prints the holder's answer, or returns it as the error if it refused.
pub(super) fn execute(
    journal: &Path,
    command: &Command,
    locally: impl Fn() -> Result<Result<Finished, RunnerError>, String>,
) -> Result<ExecutedBy, String> {
    loop {
        match locally()? {
            Err(RunnerError::Start(StartError::Journal(JournalError::Held { .. }))) => {}
            Ok(finished) => return Ok(ExecutedBy::ThisProcess(finished)),
            Err(error) => return Err(error.to_string()),
        }
        if let Some(code) = ask_holder(journal, command)? {
            return Ok(ExecutedBy::Holder(code));
        }
    }
}

/// Changes a journal that nobody holds here, or asks the holder to. The result is printed and recorded as an act.
pub(super) fn change(
    journal: &Path,
    command: &Command,
    locally: impl Fn(&SqliteJournal) -> Result<String, StartError>,
) -> Result<ExitCode, String> {
    must_exist(journal)?;
    loop {
        match SqliteJournal::open(journal) {
            Ok(journal) => {
                let answer = locally(&journal).map_err(|error| error.to_string())?;
                journal.act(command.act(&answer));
                journal.close();
                if let Some(failure) = journal.failure() {
                    return Err(failure.to_string());
                }
                output::to_stdout(&answer);
                return Ok(ExitCode::SUCCESS);
            }
            Err(JournalError::Held { .. }) => {
                if let Some(code) = ask_holder(journal, command)? {
                    return Ok(code);
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Which process carried the command out.
#[derive(Debug)]
pub(super) enum ExecutedBy {
    ThisProcess(Finished),
    Holder(ExitCode),
}

/// Asks the holder. Returns `None` if nobody holds the journal any more.
pub(super) fn ask_holder(journal: &Path, command: &Command) -> Result<Option<ExitCode>, String> {
    match ask(journal, command).map_err(|error| error.to_string())? {
        Some(Answer { done: true, text }) => {
            output::to_stdout(&text);
            Ok(Some(ExitCode::SUCCESS))
        }
        Some(Answer { done: false, text }) => Err(text),
        None => Ok(None),
    }
}

/// Refuses a command if the journal is missing, since all that it could refer to is in the journal.
pub(super) fn must_exist(journal: &Path) -> Result<(), String> {
    if journal.exists() { Ok(()) } else { Err(JournalError::Missing { path: journal.to_owned() }.to_string()) }
}
