//! `prune`: deletes old runs.

use super::durations::duration;
use super::{asked, output};
use crate::host::Command;
use crate::journal::{Pruned, SqliteJournal};
use crate::{Clock, JournalError};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// Delete runs that ended longer ago: 30d, 12h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Duration,
    /// Print what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(prune: &Prune, journal: &Path) -> Result<ExitCode, String> {
    asked::must_exist(journal)?;
    let command = Command::Prune { older_than: prune.older_than };
    loop {
        let now = Clock::system().now();
        let before = now - prune.older_than;
        let pruned = if prune.dry_run {
            SqliteJournal::prunable(journal, before, now)
        } else {
            SqliteJournal::prune(journal, before, now, |pruned| command.act(&pruned.to_string()))
        };
        match pruned {
            Ok(pruned) => return Ok(told(&pruned)),
            Err(JournalError::Held { .. }) => {
                if let Some(code) = asked::ask_holder(journal, &command)? {
                    return Ok(code);
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn told(pruned: &Pruned) -> ExitCode {
    output::to_stdout(&pruned.to_string());
    ExitCode::SUCCESS
}
