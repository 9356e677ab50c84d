//! A journal that was written while the clock was ahead: its times in the future become the present.
//!
//! All times in the future are moved back by the same amount, so that the newest is now and their order remains. None is moved
//! before what was written while the clock was right. A run's logical date does not change.

use super::lock::Lock;
use super::{JournalError, SqliteJournal, connect, rows};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::Path;

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repaired {
    /// The number of runs that had times in the future.
    pub(crate) runs: u64,
    /// The latest of those times.
    pub(crate) newest: Timestamp,
}

/// All times of events, and the runs that they belong to.
const TIMES: &str = "SELECT key AS run, created AS at FROM runs UNION ALL SELECT key, begun FROM runs UNION ALL SELECT key, finished \
                     FROM runs UNION ALL SELECT run, at FROM records UNION ALL SELECT run, at FROM logs";

impl SqliteJournal {
    /// Moves times later than `now`, in a journal that no process writes. Returns `None` if there are none.
    pub(crate) fn repair(path: &Path, now: Timestamp) -> Result<Option<Repaired>, JournalError> {
        let _lock = Lock::take(path)?;
        let connection = connect::open(path)?;
        repair(&connection, now).map_err(|error| JournalError::write(path, &error))
    }
}

fn repair(connection: &Connection, now: Timestamp) -> rusqlite::Result<Option<Repaired>> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let now = now.as_nanos();
    let ahead = format!("SELECT count(DISTINCT run), max(at) FROM ({TIMES}) WHERE at > ?1");
    let (runs, newest): (i64, Option<i64>) = transaction.query_row(&ahead, [now], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(newest) = newest else { return Ok(None) };
    let before = format!("SELECT max(at) FROM ({TIMES}) WHERE at <= ?1");
    let floor: Option<i64> = transaction.query_row(&before, [now], |row| row.get(0)).optional()?.flatten();
    let (by, floor) = (newest - now, floor.unwrap_or(i64::MIN));
    // A deadline stays as far from its record as before.
    let deadlines = rows::WITH_DEADLINE.map(|kind| kind.to_string()).join(", ");
    let deadlines =
        format!("UPDATE records SET time = max(at - ?1, ?2) + (time - at) WHERE at > ?3 AND time > at AND kind IN ({deadlines})");
    transaction.execute(&deadlines, params![by, floor, now])?;
    for (table, column) in
        [("records", "at"), ("logs", "at"), ("runs", "created"), ("runs", "begun"), ("runs", "finished"), ("runs", "sla_from")]
    {
        let update = format!("UPDATE {table} SET {column} = max({column} - ?1, ?2) WHERE {column} > ?3");
        transaction.execute(&update, params![by, floor, now])?;
    }
    transaction.commit()?;
    Ok(Some(Repaired { runs: runs.unsigned_abs(), newest: Timestamp::from_nanos(newest) }))
}

#[cfg(test)]
impl SqliteJournal {
    /// Moves all times of a journal, as if the clock had been ahead when it was written.
    pub(crate) fn move_times(path: &Path, by: std::time::Duration) {
        let connection = connect::open(path).unwrap();
        let by = i64::try_from(by.as_nanos()).unwrap();
        connection.execute("UPDATE runs SET created = created + ?1, finished = finished + ?1", [by]).unwrap();
        connection.execute("UPDATE records SET at = at + ?1", [by]).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Reader;

    #[test]
    fn what_is_in_the_future_keeps_its_order_and_its_distances_and_comes_after_what_was_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = connect::open(&path).unwrap();
        let not_yet = rows::WITH_DEADLINE[0];
        // Written at 10 and 20 by the right clock; the wrong one ran from 1000 to 1040. It is 50 now.
        connection
            .execute_batch(&format!(
                "INSERT INTO skeletons (id, text) VALUES (1, '{{}}');
                 INSERT INTO runs (key, run_id, pipeline, kind, interval_start, interval_end, params, state, created, sla_from, seed, \
                 skeleton) VALUES (1, 'a', 'p', 'manual', 5, 5, 'null', 'running', 10, 10, 1, 1), \
                 (2, 'b', 'p', 'manual', 999, 999, 'null', 'running', 1000, 1000, 1, 1);
                 INSERT INTO records (run, seq, at, kind, slot, time) VALUES (1, 1, 20, {not_yet}, 0, 5000), \
                 (1, 2, 1010, {not_yet}, 0, 1100), (2, 1, 1040, {not_yet}, 0, 1340);"
            ))
            .unwrap();
        let now = Timestamp::from_nanos(50);
        assert_eq!(repair(&connection, now).unwrap(), Some(Repaired { runs: 2, newest: Timestamp::from_nanos(1040) }));
        let mut records = connection.prepare("SELECT at, time FROM records ORDER BY run, seq").unwrap();
        let records: Vec<(i64, i64)> =
            records.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        assert_eq!(records, [(20, 5000), (20, 110), (50, 350)]);
        let runs = |column: &str| -> Vec<i64> {
            let mut query = connection.prepare(&format!("SELECT {column} FROM runs ORDER BY key")).unwrap();
            query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(runs("created"), [10, 20]);
        assert_eq!(runs("interval_start"), [5, 999], "what a run is about stays");
        assert_eq!(Reader::open(&path).unwrap().newest().unwrap().unwrap().at, now);
        assert_eq!(repair(&connection, now).unwrap(), None, "a second time there is nothing to do");
    }
}
