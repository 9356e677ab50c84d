//! Old runs are deleted.

use super::lock::Lock;
use super::{JournalError, SqliteJournal, schema};
use crate::journal::{RunKey, RunKind};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;
use std::path::Path;

/// How many runs are deleted in one commit: so many that it pays, so few that whoever reads meanwhile never waits long.
const AT_ONCE: usize = 200;

/// Which runs to delete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Old {
    /// Those that ended before.
    pub(crate) before: Timestamp,
    /// Only counts them.
    pub(crate) dry_run: bool,
}

/// What became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// How many were, or would be, deleted.
    pub(crate) runs: u64,
    /// How many as old are kept: unfinished, with callbacks due, or looked back on.
    pub(crate) kept: u64,
    /// The file's bytes.
    pub(crate) file: u64,
    /// How many of them are free.
    pub(crate) free: u64,
}

impl SqliteJournal {
    /// Deletes the old runs of a journal that no process runs.
    pub(crate) fn prune(path: &Path, old: &Old) -> Result<Pruned, JournalError> {
        let lock = Lock::take(path)?;
        let connection = schema::open(lock.journal())?;
        prune(&connection, old).map_err(|error| JournalError::write(path, &error))
    }
}

fn prune(connection: &Connection, old: &Old) -> rusqlite::Result<Pruned> {
    let looked_back_on = looked_back_on(connection)?;
    let (mut runs, mut kept) = (Vec::new(), 0);
    {
        // Whatever ended before was made before, and runs are made in the order of their keys.
        let query = "SELECT key, finished < ?1 AND key NOT IN (SELECT run FROM due) FROM runs WHERE created < ?1 ORDER BY key";
        let mut query = connection.prepare(query)?;
        let mut rows = query.query([old.before.as_nanos()])?;
        while let Some(row) = rows.next()? {
            let (key, over): (RunKey, Option<bool>) = (row.get(0)?, row.get(1)?);
            if over == Some(true) && !looked_back_on.contains(&key) { runs.push(key) } else { kept += 1 }
        }
    }
    if !old.dry_run {
        for runs in runs.chunks(AT_ONCE) {
            delete(connection, runs)?;
        }
        connection.execute("DELETE FROM skeletons WHERE id NOT IN (SELECT skeleton FROM runs)", [])?;
        // What was written to the log of the database goes to the file, so that its size is what is said.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let page = pragma("page_size")?;
    Ok(Pruned { runs: runs.len() as u64, kept, file: pragma("page_count")? * page, free: pragma("freelist_count")? * page })
}

fn delete(connection: &Connection, runs: &[RunKey]) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for run in runs {
        for delete in ["DELETE FROM records WHERE run = ?1", "DELETE FROM logs WHERE run = ?1", "DELETE FROM runs WHERE key = ?1"]
        {
            transaction.prepare_cached(delete)?.execute([run])?;
        }
    }
    transaction.commit()
}

/// Of each pipeline the newest run of each kind and the newest success, by their intervals.
fn looked_back_on(connection: &Connection) -> rusqlite::Result<HashSet<RunKey>> {
    let mut keys = HashSet::new();
    let mut next = connection.prepare("SELECT min(pipeline) FROM runs WHERE pipeline > ?1")?;
    let of_kind = "SELECT key FROM runs WHERE pipeline = ?1 AND kind = ?2 ORDER BY interval_start DESC, key DESC LIMIT 1";
    let mut of_kind = connection.prepare(of_kind)?;
    let success = "SELECT key FROM runs WHERE pipeline = ?1 AND state = 'success' ORDER BY interval_start DESC, key DESC LIMIT 1";
    let mut success = connection.prepare(success)?;
    let mut last = String::new();
    while let Some(pipeline) = next.query_row([&last], |row| row.get::<_, Option<String>>(0))? {
        for kind in RunKind::ALL {
            keys.extend(of_kind.query_row(params![pipeline, kind.name()], |row| row.get::<_, RunKey>(0)).optional()?);
        }
        keys.extend(success.query_row([&pipeline], |row| row.get::<_, RunKey>(0)).optional()?);
        last = pipeline;
    }
    Ok(keys)
}
