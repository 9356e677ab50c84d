//! Which intervals a schedule has run, after the runs that showed it were deleted.
//!
//! Adjacent intervals are stored as one stretch. So a pipeline has one row for each gap in what was deleted, however long it has
//! been served.

use crate::schedule::Interval;
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// The latest stretch of pipeline `?1` that begins before `?2`.
const LAST: &str = "SELECT interval_start, interval_end FROM pruned WHERE pipeline = ?1 AND interval_start < ?2 \
                    ORDER BY interval_start DESC LIMIT 1";
/// All stretches of pipeline `?1` that begin at `?2` or later.
const FROM: &str =
    "SELECT interval_start, interval_end FROM pruned WHERE pipeline = ?1 AND interval_start >= ?2 ORDER BY interval_start";

/// Adds the interval of a deleted scheduled run.
pub(super) fn add(connection: &Connection, pipeline: &str, interval: (i64, i64)) -> rusqlite::Result<()> {
    let (mut start, mut end) = interval;
    let mut last = connection.prepare_cached(LAST)?;
    let before: Option<(i64, i64)> = last.query_row(params![pipeline, start], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((earlier, until)) = before.filter(|(_, until)| *until >= start) {
        (start, end) = (earlier, end.max(until));
    }
    let mut touched = connection.prepare_cached(
        "SELECT max(interval_end) FROM pruned WHERE pipeline = ?1 AND interval_start >= ?2 AND interval_start <= ?3",
    )?;
    let until: Option<i64> = touched.query_row(params![pipeline, start, end], |row| row.get(0))?;
    end = end.max(until.unwrap_or(end));
    let delete = "DELETE FROM pruned WHERE pipeline = ?1 AND interval_start >= ?2 AND interval_start <= ?3";
    connection.prepare_cached(delete)?.execute(params![pipeline, start, end])?;
    connection.prepare_cached("INSERT INTO pruned VALUES (?1, ?2, ?3)")?.execute(params![pipeline, start, end])?;
    Ok(())
}

/// Returns the latest stretch that has begun at that date. It may end later, if its runs were made at a later date.
pub(in crate::journal::sqlite) fn last(
    connection: &Connection,
    pipeline: &str,
    date: Timestamp,
) -> rusqlite::Result<Option<Interval>> {
    connection.prepare_cached(LAST)?.query_row(params![pipeline, date.as_nanos()], read).optional()
}

/// Returns the stretches that begin at that date or later.
pub(in crate::journal::sqlite) fn from(
    connection: &Connection,
    pipeline: &str,
    date: Timestamp,
) -> rusqlite::Result<Vec<Interval>> {
    connection.prepare_cached(FROM)?.query_map(params![pipeline, date.as_nanos()], read)?.collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Interval> {
    let at = |column| row.get(column).map(|nanos| Timestamp::from_nanos(nanos).to_utc());
    Ok(Interval { start: at(0)?, end: at(1)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sqlite::connect;

    #[test]
    fn intervals_that_follow_on_one_another_are_one_row_in_whatever_order_they_go() {
        let folder = tempfile::tempdir().unwrap();
        let connection = connect::open(&folder.path().join("journal.db")).unwrap();
        let stretches = || -> Vec<(i64, i64)> {
            let stretches = from(&connection, "p", Timestamp::from_nanos(i64::MIN)).unwrap();
            let nanos = |date| Timestamp::from(date).as_nanos();
            stretches.into_iter().map(|stretch| (nanos(stretch.start), nanos(stretch.end))).collect()
        };
        let after = |interval| {
            add(&connection, "p", interval).unwrap();
            stretches()
        };
        assert_eq!(after((30, 40)), [(30, 40)]);
        assert_eq!(after((10, 20)), [(10, 20), (30, 40)]);
        assert_eq!(after((50, 60)), [(10, 20), (30, 40), (50, 60)]);
        assert_eq!(after((20, 30)), [(10, 40), (50, 60)], "it closes a gap");
        assert_eq!(after((20, 30)), [(10, 40), (50, 60)], "it is in there already");
        assert_eq!(after((0, 10)), [(0, 40), (50, 60)]);
        assert_eq!(after((35, 55)), [(0, 60)], "the schedule was another one");
        add(&connection, "q", (60, 70)).unwrap();
        assert_eq!(stretches(), [(0, 60)], "another pipeline's");
    }
}
