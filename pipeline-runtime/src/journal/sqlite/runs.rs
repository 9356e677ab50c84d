//! Runs as rows: how a row of `runs` is read, and the runs that a name, a key or a state selects.

use super::rows::state;
use super::{JournalError, Reader, Ticket};
use crate::author::previous::Previous;
use crate::journal::{RunKey, RunKind, StoredRun};
use crate::schedule::Interval;
use crate::time::Timestamp;
use rusqlite::{Connection, Row, params};
use std::path::Path;

const RUN: &str = "SELECT key, run_id, pipeline, kind, interval_start, interval_end, previous_start, previous_end, params, state, \
                   created, sla_from, finished, seed, text, begun, max_active, blocked, previous_began, settings FROM runs JOIN skeletons ON skeletons.id = runs.skeleton";

/// True for runs that are identified by pipeline, kind and interval. A run that a node of another pipeline has started is
/// identified only by that node, which is part of its id ([`StartRun::id_of`](crate::engine::StartRun::id_of)), however many such
/// runs one interval has.
const OF_IDENTITY: &str = "run_id NOT GLOB 'by__*'";

impl Reader {
    pub(super) fn runs_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<StoredRun>, JournalError> {
        let query = || -> rusqlite::Result<Vec<StoredRun>> {
            let mut statement = self.connection.prepare_cached(&format!("{RUN} {condition}"))?;
            statement.query_map(values, read_run)?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the run of that id; `PIPELINE/ID` if several pipelines have one.
    pub(crate) fn run(&self, name: &str) -> Result<Option<StoredRun>, JournalError> {
        let mut found = self.runs_where("WHERE run_id = ?1 ORDER BY pipeline LIMIT 10", [name])?;
        if let (true, Some((pipeline, run_id))) = (found.is_empty(), name.split_once('/')) {
            found = self.runs_where("WHERE run_id = ?1 AND pipeline = ?2", [run_id, pipeline])?;
        }
        if found.len() > 1 {
            let pipelines = found.into_iter().map(|run| run.pipeline).collect();
            return Err(JournalError::Ambiguous { run_id: name.to_owned(), pipelines });
        }
        Ok(found.pop())
    }

    /// Returns the run of that key.
    pub(crate) fn run_of_key(&self, key: RunKey) -> Result<Option<StoredRun>, JournalError> {
        Ok(self.runs_where("WHERE key = ?1", [key])?.pop())
    }

    /// Returns the runs that have not ended, the oldest first.
    pub(crate) fn unfinished(&self) -> Result<Vec<StoredRun>, JournalError> {
        self.runs_where("WHERE state IN ('queued', 'running') ORDER BY key", [])
    }

    /// Returns the runs that have ended but have undelivered notifications.
    pub(crate) fn with_due_callbacks(&self) -> Result<Vec<StoredRun>, JournalError> {
        self.runs_where("WHERE state NOT IN ('queued', 'running') AND key IN (SELECT run FROM due) ORDER BY key", [])
    }

    /// Returns the notifications of a run that are still to be delivered.
    pub(crate) fn due_callbacks(&self, run: RunKey) -> Result<Vec<u32>, JournalError> {
        let query = || -> rusqlite::Result<Vec<u32>> {
            let mut statement = self.connection.prepare_cached("SELECT id FROM due WHERE run = ?1 ORDER BY id")?;
            statement.query_map([run], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the newest unfinished run of one identity; a started run comes before a queued one. Without a date: of any date. A
    /// run that a node of another pipeline has started has an identity of its own, and is never meant by such a request.
    pub(crate) fn unfinished_of(
        &self,
        pipeline: &str,
        kind: RunKind,
        start: Option<Timestamp>,
    ) -> Result<Option<StoredRun>, JournalError> {
        let condition = format!(
            "WHERE pipeline = ?1 AND state IN ('queued', 'running') AND kind = ?2 AND {OF_IDENTITY} \
             AND (?3 IS NULL OR interval_start = ?3) ORDER BY state = 'queued', key DESC LIMIT 1"
        );
        Ok(self.runs_where(&condition, params![pipeline, kind.name(), start.map(Timestamp::as_nanos)])?.pop())
    }

    /// Returns the ids of the pipeline's runs that have begun and not ended, the oldest first: either its backfills, which have a
    /// limit of their own, or all others. Blocked runs are left out, because they hold up no other run.
    pub(crate) fn begun_of(&self, pipeline: &str, backfills: bool) -> Result<Vec<String>, JournalError> {
        let query = || -> rusqlite::Result<Vec<String>> {
            let select = "SELECT run_id FROM runs WHERE pipeline = ?1 AND state = 'running' AND (kind = 'backfill') = ?2 AND blocked IS NULL \
                          ORDER BY key";
            self.connection.prepare_cached(select)?.query_map(params![pipeline, backfills], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the ids of the runs of one identity, without those that nodes of other pipelines have started.
    pub(crate) fn ids_of(&self, pipeline: &str, kind: RunKind, start: Timestamp) -> Result<Vec<String>, JournalError> {
        let query = || -> rusqlite::Result<Vec<String>> {
            let select =
                format!("SELECT run_id FROM runs WHERE pipeline = ?1 AND kind = ?2 AND interval_start = ?3 AND {OF_IDENTITY}");
            let values = params![pipeline, kind.name(), start.as_nanos()];
            self.connection.prepare_cached(&select)?.query_map(values, |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the runs that a command has made: their pipelines, ids and the starts of their intervals, the oldest first.
    pub(crate) fn runs_of_ticket(&self, ticket: Ticket) -> Result<Vec<(String, String, Timestamp)>, JournalError> {
        let query = || -> rusqlite::Result<Vec<_>> {
            let select = "SELECT pipeline, run_id, interval_start FROM runs WHERE ticket = ?1 ORDER BY key";
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, Timestamp::from_nanos(row.get(2)?)));
            self.connection.prepare_cached(select)?.query_map([ticket], read)?.collect()
        };
        query().map_err(self.failed())
    }
}

pub(super) fn interval(start: i64, end: i64) -> Interval {
    Interval { start: Timestamp::from_nanos(start).to_utc(), end: Timestamp::from_nanos(end).to_utc() }
}

pub(super) fn previous(start: i64, end: i64, began: Option<i64>) -> Previous {
    let began = began.map(|began| Timestamp::from_nanos(began).to_utc());
    Previous { interval: interval(start, end), began }
}

pub(super) fn wrong(column: usize, name: &str) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, name.to_owned(), rusqlite::types::Type::Text)
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<StoredRun> {
    let stored: (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
    let previous = match stored {
        (Some(start), Some(end)) => Some(previous(start, end, row.get(18)?)),
        _ => None,
    };
    let settings: Option<String> = row.get(19)?;
    let settings = settings.map(|text| serde_json::from_str(&text)).transpose();
    let (kind, params, of_state): (String, String, String) = (row.get(3)?, row.get(8)?, row.get(9)?);
    Ok(StoredRun {
        key: row.get(0)?,
        run_id: row.get(1)?,
        pipeline: row.get(2)?,
        kind: RunKind::parse(&kind).ok_or_else(|| wrong(3, "kind"))?,
        interval: interval(row.get(4)?, row.get(5)?),
        previous,
        params: serde_json::from_str(&params).map_err(|_| wrong(8, "params"))?,
        state: state(&of_state).ok_or_else(|| wrong(9, "state"))?,
        created: Timestamp::from_nanos(row.get(10)?),
        sla_from: Timestamp::from_nanos(row.get(11)?),
        finished: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_nanos),
        seed: row.get::<_, i64>(13)?.cast_unsigned(),
        skeleton: row.get::<_, String>(14)?.into(),
        begun: row.get::<_, Option<i64>>(15)?.map(Timestamp::from_nanos),
        max_active: row.get(16)?,
        blocked: row.get(17)?,
        settings: settings.map_err(|_| wrong(19, "settings"))?.unwrap_or_default(),
    })
}

/// Returns the key of the next run.
pub(super) fn next_key(connection: &Connection, path: &Path) -> Result<RunKey, JournalError> {
    let last: Option<RunKey> = connection
        .query_row("SELECT max(key) FROM runs", [], |row| row.get(0))
        .map_err(|error| JournalError::read(path, &error))?;
    Ok(last.unwrap_or(0) + 1)
}
