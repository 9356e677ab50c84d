use super::rows::{RecordRow, StoredEntry, state};
use super::{JournalError, schema};
use crate::engine::RunState;
use crate::journal::{RunKey, RunKind, StoredRun};
use crate::schedule::Interval;
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::{Path, PathBuf};

/// Reads a journal, also while another process writes it.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// Which runs to list: those that fit all that is given, the newest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) pipeline: Option<String>,
    pub(crate) state: Option<RunState>,
    pub(crate) kind: Option<RunKind>,
    pub(crate) limit: u32,
}

const RUN: &str = "SELECT key, run_id, pipeline, kind, interval_start, interval_end, previous_start, previous_end, params, state, \
                   created, sla_from, finished, seed, text FROM runs JOIN skeletons ON skeletons.id = runs.skeleton";

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::open_reader(path)?, path: path.to_owned() })
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> JournalError + '_ {
        |error| JournalError::read(&self.path, &error)
    }

    fn runs_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<StoredRun>, JournalError> {
        let query = || -> rusqlite::Result<Vec<StoredRun>> {
            let mut statement = self.connection.prepare_cached(&format!("{RUN} {condition}"))?;
            statement.query_map(values, read_run)?.collect()
        };
        query().map_err(self.failed())
    }

    /// The run of that id.
    pub(crate) fn run(&self, run_id: &str) -> Result<Option<StoredRun>, JournalError> {
        Ok(self.runs_where("WHERE run_id = ?1", [run_id])?.pop())
    }

    /// The runs that have not ended, the oldest first.
    pub(crate) fn unfinished(&self) -> Result<Vec<StoredRun>, JournalError> {
        self.runs_where("WHERE state IN ('queued', 'running') ORDER BY key", [])
    }

    /// The runs that have ended but have not told everybody.
    pub(crate) fn untold(&self) -> Result<Vec<StoredRun>, JournalError> {
        self.runs_where("WHERE state NOT IN ('queued', 'running') AND key IN (SELECT run FROM due) ORDER BY key", [])
    }

    /// The runs of one identity, the newest first. Without a date: those of any.
    pub(crate) fn of_identity(
        &self,
        pipeline: &str,
        kind: RunKind,
        start: Option<Timestamp>,
    ) -> Result<Vec<StoredRun>, JournalError> {
        let condition = "WHERE pipeline = ?1 AND kind = ?2 AND (?3 IS NULL OR interval_start = ?3) ORDER BY key DESC LIMIT 1000";
        self.runs_where(condition, params![pipeline, kind.name(), start.map(Timestamp::as_nanos)])
    }

    /// The last interval before `start` whose run succeeded.
    pub(crate) fn previous_success(&self, pipeline: &str, start: Timestamp) -> Result<Option<Interval>, JournalError> {
        let query = "SELECT interval_start, interval_end FROM runs WHERE pipeline = ?1 AND state = 'success' AND interval_start < ?2 \
                     ORDER BY interval_start DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok(interval(row.get(0)?, row.get(1)?));
        let found = self
            .connection
            .prepare_cached(query)
            .and_then(|mut statement| statement.query_row(params![pipeline, start.as_nanos()], read).optional());
        found.map_err(self.failed())
    }

    /// The runs that a filter lets through, the newest first.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Vec<StoredRun>, JournalError> {
        let condition = "WHERE (?1 IS NULL OR pipeline = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR kind = ?3) \
                         ORDER BY key DESC LIMIT ?4";
        let (state, kind) = (filter.state.map(RunState::name), filter.kind.map(RunKind::name));
        self.runs_where(condition, params![filter.pipeline, state, kind, filter.limit])
    }

    /// The time of the newest record of the runs that have not ended.
    pub(crate) fn newest(&self) -> Result<Option<Timestamp>, JournalError> {
        let query = "SELECT max(at) FROM records WHERE run IN (SELECT key FROM runs WHERE state IN ('queued', 'running'))";
        let newest: Option<i64> = self.connection.query_row(query, [], |row| row.get(0)).map_err(self.failed())?;
        Ok(newest.map(Timestamp::from_nanos))
    }

    /// A run's records, in order.
    pub(crate) fn entries(&self, run: RunKey) -> Result<Vec<StoredEntry>, JournalError> {
        let query = || -> rusqlite::Result<Vec<StoredEntry>> {
            let select = "SELECT at, kind, slot, number, time, text, body FROM records WHERE run = ?1 ORDER BY seq";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut entries: Vec<StoredEntry> = Vec::new();
            for row in statement.query_map([run], RecordRow::read)? {
                let row = row?;
                match row.as_remap() {
                    Some(remap) => entries.iter_mut().for_each(|entry| entry.remap(&remap)),
                    None => entries.push(row.into_entry()?),
                }
            }
            Ok(entries)
        };
        query().map_err(self.failed())
    }
}

fn interval(start: i64, end: i64) -> Interval {
    Interval { start: Timestamp::from_nanos(start).to_utc(), end: Timestamp::from_nanos(end).to_utc() }
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<StoredRun> {
    let wrong =
        |column: usize, name: &str| rusqlite::Error::InvalidColumnType(column, name.to_owned(), rusqlite::types::Type::Text);
    let previous: (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
    let previous = match previous {
        (Some(start), Some(end)) => Some(interval(start, end)),
        _ => None,
    };
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
    })
}
