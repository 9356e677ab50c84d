//! What a journal knows of many runs at once, for whoever looks at all of them: counts, numbers that only grow, and durations over time.

use super::reader::last_before;
use super::{JournalError, Reader};
use crate::engine::RunState;
use crate::journal::RunKey;
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

/// Some runs of one state that began about the same time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    /// When the longest of them began.
    pub(crate) started: Timestamp,
    /// When that one ended; none where it has not.
    pub(crate) finished: Option<Timestamp>,
    pub(crate) state: String,
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    /// How many they are.
    pub(crate) count: i64,
}

impl Reader {
    /// The pipelines that have runs, by name. Each is found by an index, however many runs there are.
    pub(crate) fn pipelines(&self) -> Result<Vec<String>, JournalError> {
        let select = "WITH RECURSIVE known (id) AS (SELECT min(pipeline) FROM runs UNION ALL \
                      SELECT (SELECT min(pipeline) FROM runs WHERE pipeline > id) FROM known WHERE id IS NOT NULL) \
                      SELECT id FROM known WHERE id IS NOT NULL";
        let query = || -> rusqlite::Result<Vec<String>> {
            self.connection.prepare_cached(select)?.query_map([], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// How many runs of a pipeline are in a state.
    pub(crate) fn count(&self, pipeline: &str, state: RunState) -> Result<i64, JournalError> {
        let select = "SELECT count(*) FROM runs WHERE pipeline = ?1 AND state = ?2";
        let query = || self.connection.prepare_cached(select)?.query_row(params![pipeline, state.name()], |row| row.get(0));
        query().map_err(self.failed())
    }

    /// How many runs a process could not go on with.
    pub(crate) fn blocked(&self) -> Result<i64, JournalError> {
        let select = "SELECT count(*) FROM runs WHERE blocked IS NOT NULL";
        let query = || self.connection.prepare_cached(select)?.query_row([], |row| row.get(0));
        query().map_err(self.failed())
    }

    /// The newest runs that have begun and not ended, and with which nothing is wrong: their keys, and the numbers of their last records.
    pub(crate) fn going_on(&self, limit: u32) -> Result<Vec<(RunKey, i64)>, JournalError> {
        let select = "SELECT key, (SELECT coalesce(max(seq), 0) FROM records WHERE run = key) FROM runs \
                      WHERE state = 'running' AND blocked IS NULL ORDER BY key DESC LIMIT ?1";
        let query = || -> rusqlite::Result<Vec<(RunKey, i64)>> {
            self.connection.prepare_cached(select)?.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        query().map_err(self.failed())
    }

    /// How many commands wait to be carried out, and how many callbacks to be told.
    pub(crate) fn waiting(&self) -> Result<(i64, i64), JournalError> {
        let select = "SELECT (SELECT count(*) FROM inbox WHERE answer IS NULL), (SELECT count(*) FROM due)";
        let query = || self.connection.prepare_cached(select)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
        query().map_err(self.failed())
    }

    /// The number of a run's last record, 0 without any.
    pub(crate) fn last_record(&self, run: RunKey) -> Result<i64, JournalError> {
        self.last_number("SELECT max(seq) FROM records WHERE run = ?1", params![run])
    }

    /// The number of a node's last log line in a run, 0 without any.
    pub(crate) fn last_line(&self, run: RunKey, node: &str) -> Result<i64, JournalError> {
        self.last_number("SELECT max(id) FROM logs WHERE run = ?1 AND node = ?2", params![run, node])
    }

    /// The number of a run's last log line, 0 without any.
    pub(crate) fn last_line_of_run(&self, run: RunKey) -> Result<i64, JournalError> {
        self.last_number("SELECT max(id) FROM logs WHERE run = ?1", params![run])
    }

    /// The number of the last act, 0 without any.
    pub(crate) fn last_act(&self) -> Result<i64, JournalError> {
        self.last_number("SELECT max(id) FROM acts", [])
    }

    fn last_number(&self, select: &str, values: impl rusqlite::Params) -> Result<i64, JournalError> {
        let query = || -> rusqlite::Result<Option<i64>> {
            Ok(self.connection.prepare_cached(select)?.query_row(values, |row| row.get(0)).optional()?.flatten())
        };
        Ok(query().map_err(self.failed())?.unwrap_or(0))
    }

    /// Runs that began between these times, one row for all of one state in one of so many stretches of that time: the longest of them.
    pub(crate) fn durations(
        &self,
        pipeline: Option<&str>,
        from: Timestamp,
        to: Timestamp,
        stretches: u32,
    ) -> Result<Vec<Bucket>, JournalError> {
        let query = || -> rusqlite::Result<Vec<Bucket>> {
            // A run is made before it begins, and its key tells when it was made.
            let after = last_before(&self.connection, from)?.unwrap_or(0);
            let width = (to.as_nanos().saturating_sub(from.as_nanos()) / i64::from(stretches.max(1))).max(1);
            // SQLite takes the key beside a `max` from the row that has it. Rows are sorted by no more than that: with their texts it takes twice as long.
            let select = "SELECT coalesce(begun, created), finished, runs.state, pipeline, run_id, number FROM ( \
                          SELECT key AS longest, count(*) AS number, max(coalesce(finished, ?3) - coalesce(begun, created)) \
                          FROM runs WHERE key > ?1 AND created <= ?3 AND (?2 IS NULL OR pipeline = ?2) \
                          GROUP BY coalesce(begun, created) / ?4, state \
                          ) JOIN runs ON key = longest ORDER BY key";
            let mut statement = self.connection.prepare_cached(select)?;
            let read = |row: &Row<'_>| {
                Ok(Bucket {
                    started: Timestamp::from_nanos(row.get(0)?),
                    finished: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_nanos),
                    state: row.get(2)?,
                    pipeline: row.get(3)?,
                    run_id: row.get(4)?,
                    count: row.get(5)?,
                })
            };
            statement.query_map(params![after, pipeline, to.as_nanos(), width], read)?.collect()
        };
        query().map_err(self.failed())
    }

    /// How many bytes the journal's pages take, and how many of them are free.
    pub(crate) fn pages(&self) -> Result<(i64, i64), JournalError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let query = || -> rusqlite::Result<(i64, i64)> {
            let size = pragma("page_size")?;
            Ok((size * pragma("page_count")?, size * pragma("freelist_count")?))
        };
        query().map_err(self.failed())
    }

    /// A node's last log lines before the line `before`, at most `limit` of them, in the order in which they came. Without a node: those of all.
    pub(crate) fn lines_before(
        &self,
        run: RunKey,
        node: Option<&str>,
        attempt: Option<u32>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<super::StoredLine>, JournalError> {
        let of_node = if node.is_some() { "node = ?2" } else { "?2 IS NULL" };
        let select = format!(
            "SELECT id, node, attempt, at, level, line FROM logs WHERE run = ?1 AND {of_node} AND id < ?3 \
             AND (?4 IS NULL OR attempt = ?4) ORDER BY id DESC LIMIT ?5"
        );
        let query = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(&select)?;
            statement.query_map(params![run, node, before, attempt, limit], super::reader::read_line)?.collect()
        };
        let mut lines: Vec<super::StoredLine> = query().map_err(self.failed())?;
        lines.reverse();
        Ok(lines)
    }
}
