//! `repair`: corrects a journal that was written by a clock that was ahead.

use super::output;
use crate::JournalError;
use crate::journal::{Repaired, SqliteJournal};
use crate::time::Clock;
use chrono::SecondsFormat;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(journal: &Path) -> Result<ExitCode, String> {
    if !journal.exists() {
        return Err(JournalError::Missing { path: journal.to_owned() }.to_string());
    }
    let repaired = SqliteJournal::repair(journal, Clock::system().now()).map_err(|error| error.to_string())?;
    output::to_stdout(&match repaired {
        None => "no time of the journal is in the future: nothing is changed".to_owned(),
        Some(Repaired { runs, newest }) => format!(
            "the times of {runs} run{}, which were as late as {}, are moved back to the present; what the runs are about is unchanged",
            if runs == 1 { "" } else { "s" },
            newest.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
        ),
    });
    Ok(ExitCode::SUCCESS)
}
