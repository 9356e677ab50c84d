//! `prune`: old runs are deleted.

use super::output;
use crate::journal::{Old, Pruned, SqliteJournal};
use crate::{Clock, JournalError};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// Runs that ended so long ago: 30d, 12h
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    older_than: Duration,
    /// Says what would be deleted, and deletes nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(prune: &Prune, journal: &Path) -> Result<ExitCode, String> {
    if !journal.exists() {
        return Err(JournalError::Missing { path: journal.to_owned() }.to_string());
    }
    let old = Old { before: Clock::system().now() - prune.older_than, dry_run: prune.dry_run };
    let pruned = SqliteJournal::prune(journal, &old).map_err(|error| error.to_string())?;
    output::to_stdout(&told(&pruned, prune.dry_run));
    Ok(ExitCode::SUCCESS)
}

fn told(pruned: &Pruned, dry_run: bool) -> String {
    let Pruned { runs, kept, file, free } = pruned;
    let plural = if *runs == 1 { "" } else { "s" };
    let kept = match kept {
        0 => String::new(),
        kept => format!("; {kept} as old stay{}, unfinished or looked back on", if *kept == 1 { "s" } else { "" }),
    };
    if dry_run {
        return format!("{runs} run{plural} would be deleted{kept}");
    }
    let size = |bytes: &u64| match bytes / 100_000 {
        0..10 => format!("{} kB", bytes / 1_000),
        tenths => format!("{}.{} MB", tenths / 10, tenths % 10),
    };
    format!(
        "{runs} run{plural} deleted{kept}\nthe file keeps its size of {}; {} of it are free, and used before it grows",
        size(file),
        size(free)
    )
}
