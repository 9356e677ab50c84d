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
        None => "no time in the journal is in the future: nothing was changed".to_owned(),
        Some(Repaired { runs, newest }) => format!(
            "moved the times of {runs} run{}, the latest of which was {}, back to the present; logical dates and data intervals are unchanged",
            if runs == 1 { "" } else { "s" },
            newest.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
        ),
    });
    Ok(ExitCode::SUCCESS)
}
