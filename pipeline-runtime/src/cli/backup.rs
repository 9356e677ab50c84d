//! `backup`: a copy of the journal.

use super::output;
use crate::journal::SqliteJournal;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(file: &Path, force: bool, journal: &Path) -> Result<ExitCode, String> {
    let copy = SqliteJournal::back_up(journal, file, force).map_err(|error| error.to_string())?;
    output::to_stdout(&copy.to_string());
    Ok(ExitCode::SUCCESS)
}
