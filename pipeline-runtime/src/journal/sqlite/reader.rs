//! The connection of a reader, beside the process that writes. What it reads is in files of one subject each: `runs`, `intervals`,
//! `listing`, `records`, `lines`, `overview`, `acts`, `updates`, `settings` and `durations`.

use super::{JournalError, connect};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Reads a journal, even while another process writes it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

/// The newest time in the journal, and the run that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewestTime {
    pub(crate) at: Timestamp,
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: connect::open_reader(path)?, path: path.to_owned() })
    }

    /// Opens a journal that this process writes, or wrote a moment ago.
    pub(crate) fn of_this_process(path: &Path) -> Result<Self, JournalError> {
        Self::beside(&super::file::resolve(path))
    }

    /// Opens a journal that this process writes.
    pub(super) fn beside(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: connect::open_beside(path)?, path: path.to_owned() })
    }

    /// Runs `read` on one snapshot, whatever is committed meanwhile. Not to be nested.
    pub(crate) fn snapshot<T, E: From<JournalError>>(&self, read: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        // It only reads, so there is nothing to commit.
        let transaction = self.connection.unchecked_transaction().map_err(self.failed())?;
        let read = read(self);
        drop(transaction);
        read
    }

    pub(super) fn failed(&self) -> impl Fn(rusqlite::Error) -> JournalError + '_ {
        |error| JournalError::read(&self.path, &error)
    }

    /// Returns a number that differs from that of the last call if anything was committed in between.
    pub(crate) fn version(&self) -> Result<i64, JournalError> {
        let query = || self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0));
        query().map_err(self.failed())
    }

    /// Returns the time of the newest run, or of the newest record of an unfinished run, whichever is later.
    pub(crate) fn newest(&self) -> Result<Option<NewestTime>, JournalError> {
        let query = "SELECT at, run_id, pipeline FROM (SELECT max(at) AS at, run AS key FROM records WHERE run IN \
                     (SELECT key FROM runs WHERE state IN ('queued', 'running')) \
                     UNION ALL SELECT created, key FROM (SELECT created, key FROM runs ORDER BY key DESC LIMIT 1)) \
                     JOIN runs USING (key) WHERE at IS NOT NULL ORDER BY at DESC LIMIT 1";
        let read =
            |row: &Row<'_>| Ok(NewestTime { at: Timestamp::from_nanos(row.get(0)?), run_id: row.get(1)?, pipeline: row.get(2)? });
        self.connection.query_row(query, [], read).optional().map_err(self.failed())
    }

    /// Returns the paused pipelines.
    pub(crate) fn paused(&self) -> Result<HashSet<String>, JournalError> {
        let query = || -> rusqlite::Result<HashSet<String>> {
            self.connection.prepare_cached("SELECT pipeline FROM paused")?.query_map([], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }
}
