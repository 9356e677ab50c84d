//! Stored log lines, read page by page. `logs.rs` stores them.

use super::{JournalError, Reader};
use crate::journal::RunKey;
use crate::time::Timestamp;
use rusqlite::{Row, params};
use tracing::Level;

/// A stored log line, and its number in its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLine {
    pub(crate) id: i64,
    pub(crate) node: String,
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) text: String,
}

impl Reader {
    /// Returns a node's log lines after the line `after`, at most `limit` of them, in order. Without an attempt: those of all
    /// attempts. Without a node: those of all nodes, for which each call scans all lines of the run.
    pub(crate) fn logs(
        &self,
        run: RunKey,
        node: Option<&str>,
        attempt: Option<u32>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>, JournalError> {
        // One condition for both cases could not use the index by node.
        let of_node = if node.is_some() { "node = ?2" } else { "?2 IS NULL" };
        let query = format!(
            "SELECT id, node, attempt, at, level, line FROM logs WHERE run = ?1 AND {of_node} AND id > ?3 \
             AND (?4 IS NULL OR attempt = ?4) ORDER BY id LIMIT ?5"
        );
        let lines = || -> rusqlite::Result<Vec<StoredLine>> {
            let mut statement = self.connection.prepare_cached(&query)?;
            statement.query_map(params![run, node, after, attempt, limit], read_line)?.collect()
        };
        lines().map_err(self.failed())
    }

    /// Returns a node's last log lines before the line `before`, at most `limit` of them, in order. Without a node: those of all
    /// nodes.
    pub(crate) fn lines_before(
        &self,
        run: RunKey,
        node: Option<&str>,
        attempt: Option<u32>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>, JournalError> {
        let of_node = if node.is_some() { "node = ?2" } else { "?2 IS NULL" };
        let select = format!(
            "SELECT id, node, attempt, at, level, line FROM logs WHERE run = ?1 AND {of_node} AND id < ?3 \
             AND (?4 IS NULL OR attempt = ?4) ORDER BY id DESC LIMIT ?5"
        );
        let query = || -> rusqlite::Result<Vec<_>> {
            let mut statement = self.connection.prepare_cached(&select)?;
            statement.query_map(params![run, node, before, attempt, limit], read_line)?.collect()
        };
        let mut lines: Vec<StoredLine> = query().map_err(self.failed())?;
        lines.reverse();
        Ok(lines)
    }
}

/// A row of `id, node, attempt, at, level, line`.
fn read_line(row: &Row<'_>) -> rusqlite::Result<StoredLine> {
    Ok(StoredLine {
        id: row.get(0)?,
        node: row.get(1)?,
        attempt: row.get(2)?,
        at: Timestamp::from_nanos(row.get(3)?),
        level: super::logs::level(row.get(4)?).unwrap_or(Level::INFO),
        text: row.get(5)?,
    })
}
