//! Old runs are deleted: by `prune`, or step by step while a process continues other runs.
//!
//! # Invariants
//!
//! - A run disappears with its row, in one commit: from then on nobody finds it. Its records and log lines follow in later steps.
//!   A process that dies in between leaves rows without a run, which the next sweep finds. So no run is ever half deleted.
//! - The newest run of all stays, whatever its pipeline. So no key is reused, and rows left by a dead process are never taken for
//!   those of a new run.
//! - The runs to delete are chosen in the transaction that deletes them, and no step is ordered while a command reads the run
//!   that it is about (`host/dispatch/retention`). So a run that is resumed or retried is never deleted.
//!
//! # Why in steps
//!
//! The single writer also has to store the records of runs under way. A step is bounded in the rows that it reads, and in the
//! rows and bytes that it deletes, since one run may have millions of records, and one record 16 MiB. No step waits for the disk,
//! except when `SQLite` copies the `-wal` into the file: a deletion that a power failure undoes is repeated.

mod needed;
mod pass;
pub(super) mod pruned_intervals;
#[cfg(test)]
mod tests;

pub(crate) use pass::Pass;
pub(super) use pass::PlansInUse;

use super::lock::Lock;
use super::transaction::without_sync;
use super::{Act, JournalError, SqliteJournal, acts, connect};
use crate::time::Timestamp;
use rusqlite::Connection;
use std::fmt;
use std::path::Path;

/// The result of deleting old runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// The number of runs that were, or would be, deleted.
    pub(crate) runs: u64,
    /// The number of runs as old that stay.
    pub(crate) kept: u64,
    /// The file's size before, in bytes.
    pub(crate) was: u64,
    /// The file's size, in bytes.
    pub(crate) file: u64,
    /// How many of these bytes are free.
    pub(crate) free: u64,
    /// Nothing was deleted, only counted.
    pub(crate) is_dry: bool,
    /// Why the file could not be rewritten so that it can shrink from then on, if so.
    pub(crate) not_rewritten: Option<String>,
}

impl SqliteJournal {
    /// Deletes the old runs of a journal that no process runs, returns free space to the system, and stores that as an act.
    pub(crate) fn prune(
        path: &Path,
        before: Timestamp,
        date: Timestamp,
        act: impl FnOnce(&Pruned) -> Act,
    ) -> Result<Pruned, JournalError> {
        let lock = Lock::take(path)?;
        let connection = connect::open(lock.journal())?;
        let failed = |error| JournalError::write(path, &error);
        let pruned = prune(&connection, before, date).map_err(failed)?;
        acts::write(&connection, &act(&pruned)).map_err(failed)?;
        Ok(pruned)
    }

    /// Counts what [`prune`](Self::prune) would delete, even while a process runs the journal.
    pub(crate) fn prunable(path: &Path, before: Timestamp, date: Timestamp) -> Result<Pruned, JournalError> {
        let connection = connect::open_reader(path)?;
        run(&connection, Pass::dry(before, date)).map_err(|error| JournalError::read(path, &error))
    }
}

fn prune(connection: &Connection, before: Timestamp, date: Timestamp) -> rusqlite::Result<Pruned> {
    let was = length(connection);
    // A deletion need not be durable before the next.
    let mut pruned = without_sync(connection, || run(connection, Pass::of_all(before, date)))??;
    if !can_shrink(connection)?
        && let Err(error) = connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    {
        pruned.not_rewritten = Some(JournalError::reason(&error));
    }
    // Moves the contents of the WAL into the file, so that the reported size is right.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    (pruned.was, pruned.file, pruned.free) = (was, length(connection), free(connection)?);
    Ok(pruned)
}

fn run(connection: &Connection, mut pass: Pass) -> rusqlite::Result<Pruned> {
    let mut skeletons = None;
    while !pass.is_over() {
        pass.step(connection, &mut skeletons, &mut || ())?;
    }
    Ok(pass.pruned().clone())
}

/// The file's size in bytes. It may differ from the size of the database's pages: the file does not shrink while anybody reads
/// it.
fn length(connection: &Connection) -> u64 {
    connection.path().and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len())
}

/// The number of free bytes in the database.
fn free(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    Ok(pragma("page_size")? * pragma("freelist_count")?)
}

/// True if the file can shrink without being rewritten.
fn can_shrink(connection: &Connection) -> rusqlite::Result<bool> {
    const INCREMENTAL: i64 = 2;
    connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).map(|mode: i64| mode == INCREMENTAL)
}

impl fmt::Display for Pruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, kept, was, file, free, .. } = self;
        let would_be = if self.is_dry { "would be " } else { "" };
        write!(f, "{runs} run{} {would_be}deleted", if *runs == 1 { "" } else { "s" })?;
        if *kept > 0 {
            write!(f, "; {kept} old run{} kept, unfinished or still needed", if *kept == 1 { "" } else { "s" })?;
        }
        if self.is_dry {
            return Ok(());
        }
        if file < was {
            write!(f, "\nthe file has shrunk from {} to {}", Size(*was), Size(*file))?;
        } else {
            write!(f, "\nthe file has {}", Size(*file))?;
        }
        if *free > 0 {
            write!(f, "; {} of it are free, and used before it grows", Size(*free))?;
        }
        match &self.not_rewritten {
            Some(reason) => write!(f, "; it could not be rewritten, so it does not shrink: {reason}"),
            None => Ok(()),
        }
    }
}

/// A size in bytes, for people.
pub(super) struct Size(pub(super) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 / 100_000 {
            0..10 => write!(f, "{} kB", self.0 / 1_000),
            tenths => write!(f, "{}.{} MB", tenths / 10, tenths % 10),
        }
    }
}
