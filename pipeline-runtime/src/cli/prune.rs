//! `prune`: deletes old runs.

use super::durations::duration;
use super::{holder, output};
use crate::host::Command;
use crate::journal::{Pruned, SqliteJournal};
use crate::{Clock, JournalError};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    /// Delete runs that ended longer ago: 30d, 12h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Duration,
    /// Print what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &PruneArgs, journal: &Path) -> Result<ExitCode, String> {
    holder::must_exist(journal)?;
    let command = Command::Prune { older_than: args.older_than };
    loop {
        let now = Clock::system().now();
        let before = now - args.older_than;
        let pruned = if args.dry_run {
            SqliteJournal::prunable(journal, before, now)
        } else {
            SqliteJournal::prune(journal, before, now, |pruned| command.act(&pruned.to_string()))
        };
        match pruned {
            Ok(pruned) => return Ok(print(&pruned)),
            Err(JournalError::Held { .. }) => {
                if let Some(code) = holder::ask_holder(journal, &command)? {
                    return Ok(code);
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn print(pruned: &Pruned) -> ExitCode {
    output::to_stdout(&pruned.to_string());
    ExitCode::SUCCESS
}
