//! What a journal knows of many runs at once, for overviews: counts, and numbers that only grow.

use super::{JournalError, Reader};
use crate::engine::RunState;
use crate::journal::RunKey;
use rusqlite::{OptionalExtension, params};

impl Reader {
    /// Returns the pipelines that have runs, by name. Each is found by an index, however many runs there are.
    pub(crate) fn pipelines(&self) -> Result<Vec<String>, JournalError> {
        let select = "WITH RECURSIVE known (id) AS (SELECT min(pipeline) FROM runs UNION ALL \
                      SELECT (SELECT min(pipeline) FROM runs WHERE pipeline > id) FROM known WHERE id IS NOT NULL) \
                      SELECT id FROM known WHERE id IS NOT NULL";
        let query = || -> rusqlite::Result<Vec<String>> {
            self.connection.prepare_cached(select)?.query_map([], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the number of a pipeline's runs in a state.
    pub(crate) fn count(&self, pipeline: &str, state: RunState) -> Result<i64, JournalError> {
        let select = "SELECT count(*) FROM runs WHERE pipeline = ?1 AND state = ?2";
        let query = || self.connection.prepare_cached(select)?.query_row(params![pipeline, state.name()], |row| row.get(0));
        query().map_err(self.failed())
    }

    /// Returns the number of runs that a process could not resume.
    pub(crate) fn blocked(&self) -> Result<i64, JournalError> {
        let select = "SELECT count(*) FROM runs WHERE blocked IS NOT NULL";
        let query = || self.connection.prepare_cached(select)?.query_row([], |row| row.get(0));
        query().map_err(self.failed())
    }

    /// Returns the newest runs that have begun, have not ended and are not blocked: their keys, and the numbers of their last
    /// records.
    pub(crate) fn active_runs(&self, limit: u32) -> Result<Vec<(RunKey, i64)>, JournalError> {
        let select = "SELECT key, (SELECT coalesce(max(seq), 0) FROM records WHERE run = key) FROM runs \
                      WHERE state = 'running' AND blocked IS NULL ORDER BY key DESC LIMIT ?1";
        let query = || -> rusqlite::Result<Vec<(RunKey, i64)>> {
            self.connection.prepare_cached(select)?.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the number of commands without an answer, and the number of callbacks to deliver.
    pub(crate) fn pending_counts(&self) -> Result<(i64, i64), JournalError> {
        let select = "SELECT (SELECT count(*) FROM inbox WHERE answer IS NULL), (SELECT count(*) FROM due)";
        let query = || self.connection.prepare_cached(select)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
        query().map_err(self.failed())
    }

    /// Returns the number of a run's last record; 0 without any.
    pub(crate) fn last_record(&self, run: RunKey) -> Result<i64, JournalError> {
        self.last_number("SELECT max(seq) FROM records WHERE run = ?1", params![run])
    }

    /// Returns the number of a node's last log line in a run; 0 without any.
    pub(crate) fn last_line(&self, run: RunKey, node: &str) -> Result<i64, JournalError> {
        self.last_number("SELECT max(id) FROM logs WHERE run = ?1 AND node = ?2", params![run, node])
    }

    /// Returns the number of a run's last log line; 0 without any.
    pub(crate) fn last_line_of_run(&self, run: RunKey) -> Result<i64, JournalError> {
        self.last_number("SELECT max(id) FROM logs WHERE run = ?1", params![run])
    }

    /// Returns the number of the last act; 0 without any.
    pub(crate) fn last_act(&self) -> Result<i64, JournalError> {
        self.last_number("SELECT max(id) FROM acts", [])
    }

    fn last_number(&self, select: &str, values: impl rusqlite::Params) -> Result<i64, JournalError> {
        let query = || -> rusqlite::Result<Option<i64>> {
            Ok(self.connection.prepare_cached(select)?.query_row(values, |row| row.get(0)).optional()?.flatten())
        };
        Ok(query().map_err(self.failed())?.unwrap_or(0))
    }

    /// Returns the size of the journal's pages in bytes, and that of the free ones among them.
    pub(crate) fn pages(&self) -> Result<(i64, i64), JournalError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let query = || -> rusqlite::Result<(i64, i64)> {
            let size = pragma("page_size")?;
            Ok((size * pragma("page_count")?, size * pragma("freelist_count")?))
        };
        query().map_err(self.failed())
    }
}
