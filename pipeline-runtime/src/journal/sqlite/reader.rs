use super::prune::passed;
use super::rows::{self, RecordRow, StoredEntry, state};
use super::{JournalError, Ticket, schema};
use crate::author::previous::Previous;
use crate::engine::RunState;
use crate::journal::{BLOCKED, RunKey, RunKind, StoredRun};
use crate::schedule::Interval;
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
#[cfg(any(feature = "cli", feature = "dashboard"))]
use std::time::Duration;
use tracing::Level;

/// Reads a journal, even while another process writes it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

/// The newest time in the journal, and the run that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newest {
    pub(crate) at: Timestamp,
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
}

/// Which runs to list: those that meet all conditions, the newest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) pipeline: Option<String>,
    /// Runs in that state that are not blocked.
    pub(crate) state: Option<RunState>,
    /// Blocked runs.
    pub(crate) blocked: bool,
    pub(crate) kind: Option<RunKind>,
    /// Runs created then or later.
    pub(crate) since: Option<Timestamp>,
    /// Runs created before the run of that key: the next page.
    pub(crate) before: Option<RunKey>,
    pub(crate) limit: u32,
}

/// Records of a run, as they were read.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) entries: Vec<StoredEntry>,
    /// The number of the last record.
    pub(crate) last: i64,
    /// The run changed its plan within these records, so that earlier records name other slots.
    pub(crate) renamed: bool,
    /// The ids of the nodes that it lost by that.
    pub(crate) removed: Vec<String>,
}

/// An awaited run, as far as waiting runs need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwaitedRun {
    pub(crate) run_id: String,
    pub(crate) interval: Interval,
    pub(crate) state: RunState,
    pub(crate) is_blocked: bool,
    pub(crate) started: Timestamp,
    pub(crate) finished: Option<Timestamp>,
}

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

/// A run of an interval, and its shown state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntervalRun {
    pub(crate) run_id: String,
    pub(crate) state: &'static str,
}

const RUN: &str = "SELECT key, run_id, pipeline, kind, interval_start, interval_end, previous_start, previous_end, params, state, \
                   created, sla_from, finished, seed, text, begun, max_active, blocked, previous_began, settings FROM runs JOIN skeletons ON skeletons.id = runs.skeleton";

/// The run of pipeline `?1` for the latest scheduled interval that has ended at `?2`. `prune` spares it, and what the next two
/// find.
pub(super) const LAST_SCHEDULED: &str =
    "WHERE pipeline = ?1 AND kind = 'scheduled' AND interval_end <= ?2 ORDER BY interval_start DESC LIMIT 1";

/// The run of pipeline `?1` that ended last, for the interval that starts at `?2`.
pub(super) const OUTCOME: &str = "WHERE pipeline = ?1 AND interval_start = ?2 AND state NOT IN ('queued', 'running') \
                                  ORDER BY finished DESC, key DESC LIMIT 1";

/// The run of pipeline `?1` that others wait for, for the interval that starts at `?2`: the newest success, otherwise the newest.
const MEANT: &str = "WHERE pipeline = ?1 AND interval_start = ?2 ORDER BY state = 'success' DESC, key DESC LIMIT 1";

/// The last success of pipeline `?1` whose interval starts before `?2`.
pub(super) const PREVIOUS_SUCCESS: &str = "WHERE pipeline = ?1 AND state = 'success' AND interval_start < ?2 \
                                           ORDER BY interval_start DESC, key DESC LIMIT 1";

/// True for runs that are identified by pipeline, kind and interval. A run that a node of another pipeline has started is
/// identified only by that node, which is part of its id ([`StartRun::id_of`](crate::engine::StartRun::id_of)), however many such
/// runs one interval has.
const OF_IDENTITY: &str = "run_id NOT GLOB 'by__*'";

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::open_reader(path)?, path: path.to_owned() })
    }

    /// Opens a journal that this process writes, or wrote a moment ago.
    pub(crate) fn of_own(path: &Path) -> Result<Self, JournalError> {
        Self::beside(&super::file::resolve(path))
    }

    /// Opens a journal that this process writes.
    pub(super) fn beside(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::open_beside(path)?, path: path.to_owned() })
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

    fn runs_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<StoredRun>, JournalError> {
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

    /// Returns the latest interval that a pipeline's schedule has made a run for and that has ended at `now`. If the runs of all
    /// intervals from it until after `now` are deleted, returns these intervals as one: none of them runs again.
    pub(crate) fn last_scheduled(&self, pipeline: &str, now: Timestamp) -> Result<Option<Interval>, JournalError> {
        let kept = self.runs_where(LAST_SCHEDULED, params![pipeline, now.as_nanos()])?.pop().map(|run| run.interval);
        let deleted = passed::last(&self.connection, pipeline, now).map_err(self.failed())?;
        Ok(kept.into_iter().chain(deleted).max_by_key(|interval| interval.end))
    }

    /// Returns the stretches of intervals after `last` whose scheduled runs are deleted.
    pub(crate) fn deleted_after(&self, pipeline: &str, last: Option<Interval>) -> Result<Vec<Interval>, JournalError> {
        let from = Timestamp::from_nanos(last.map_or(i64::MIN, |last| Timestamp::from(last.end).as_nanos()));
        passed::from(&self.connection, pipeline, from).map_err(self.failed())
    }

    /// Returns the starts of the intervals after `last` that the schedule has made a run for, while the calendar showed a later
    /// date.
    pub(crate) fn scheduled_after(&self, pipeline: &str, last: Option<Interval>) -> Result<Vec<Timestamp>, JournalError> {
        let query = || -> rusqlite::Result<Vec<Timestamp>> {
            let select =
                "SELECT DISTINCT interval_start FROM runs WHERE pipeline = ?1 AND kind = 'scheduled' AND interval_start > ?2";
            let after = last.map_or(i64::MIN, |last| Timestamp::from(last.start).as_nanos());
            let mut statement = self.connection.prepare_cached(select)?;
            statement.query_map(params![pipeline, after], |row| row.get(0).map(Timestamp::from_nanos))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the newest outcome of an interval: the state of the run that ended last.
    pub(crate) fn outcome(&self, pipeline: &str, start: Timestamp) -> Result<Option<RunState>, JournalError> {
        Ok(self.runs_where(OUTCOME, params![pipeline, start.as_nanos()])?.pop().map(|run| run.state))
    }

    /// Returns the run of that interval that others wait for.
    pub(crate) fn meant(&self, pipeline: &str, start: Timestamp) -> Result<Option<AwaitedRun>, JournalError> {
        self.meant_where(MEANT, params![pipeline, start.as_nanos()])
    }

    /// Returns the runs of the last interval before `start` that has a scheduled or a backfill run, runs of all kinds: first
    /// those that are unfinished, then those that ended, the last of them first.
    pub(crate) fn before(&self, pipeline: &str, start: Timestamp) -> Result<Vec<String>, JournalError> {
        let query = || -> rusqlite::Result<Vec<String>> {
            let select = "SELECT run_id FROM runs WHERE pipeline = ?1 AND interval_start = (SELECT interval_start FROM runs \
                          WHERE pipeline = ?1 AND interval_start < ?2 AND kind IN ('scheduled', 'backfill') \
                          ORDER BY interval_start DESC LIMIT 1) \
                          ORDER BY state IN ('queued', 'running') DESC, finished DESC, key DESC";
            let mut statement = self.connection.prepare_cached(select)?;
            statement.query_map(params![pipeline, start.as_nanos()], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the run of that id, for a waiting run.
    pub(crate) fn meant_by(&self, pipeline: &str, run_id: &str) -> Result<Option<AwaitedRun>, JournalError> {
        self.meant_where("WHERE run_id = ?2 AND pipeline = ?1", params![pipeline, run_id])
    }

    fn meant_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<AwaitedRun>, JournalError> {
        // Without params and skeleton, which may be large: thousands may ask at once.
        let select = "SELECT run_id, interval_start, interval_end, state, blocked IS NOT NULL, coalesce(begun, created), finished FROM runs";
        let read = |row: &Row<'_>| {
            let of_state: String = row.get(3)?;
            Ok(AwaitedRun {
                run_id: row.get(0)?,
                interval: interval(row.get(1)?, row.get(2)?),
                state: state(&of_state).ok_or_else(|| wrong(3, "state"))?,
                is_blocked: row.get(4)?,
                started: Timestamp::from_nanos(row.get(5)?),
                finished: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_nanos),
            })
        };
        let query = || self.connection.prepare_cached(&format!("{select} {condition}"))?.query_row(values, read).optional();
        query().map_err(self.failed())
    }

    /// Returns the pipeline's runs that have not ended, with their intervals.
    pub(crate) fn unfinished_intervals(&self, pipeline: &str) -> Result<Vec<(RunKey, RunKind, Interval)>, JournalError> {
        let query = || -> rusqlite::Result<Vec<_>> {
            let select = "SELECT key, kind, interval_start, interval_end FROM runs \
                          WHERE pipeline = ?1 AND state IN ('queued', 'running')";
            let mut statement = self.connection.prepare_cached(select)?;
            let read = |row: &Row<'_>| {
                let kind: String = row.get(1)?;
                let kind = RunKind::parse(&kind).ok_or_else(|| wrong(1, "kind"))?;
                Ok((row.get(0)?, kind, interval(row.get(2)?, row.get(3)?)))
            };
            statement.query_map([pipeline], read)?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the newest run of each interval that starts between these times.
    pub(crate) fn newest_between(
        &self,
        pipeline: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<HashMap<Timestamp, (String, RunState)>, JournalError> {
        self.between(pipeline, (from, to), "")
    }

    /// Returns the run that is current for each interval that starts between these times: its newest unfinished run, or else its newest.
    pub(crate) fn current_between(
        &self,
        pipeline: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<HashMap<Timestamp, (String, RunState)>, JournalError> {
        let mut runs = self.newest_between(pipeline, from, to)?;
        runs.extend(self.between(pipeline, (from, to), "AND state IN ('queued', 'running')")?);
        Ok(runs)
    }

    fn between(
        &self,
        pipeline: &str,
        (from, to): (Timestamp, Timestamp),
        and: &str,
    ) -> Result<HashMap<Timestamp, (String, RunState)>, JournalError> {
        let query = || -> rusqlite::Result<HashMap<Timestamp, (String, RunState)>> {
            let select = format!(
                "SELECT interval_start, run_id, state FROM runs \
                 WHERE pipeline = ?1 AND interval_start BETWEEN ?2 AND ?3 {and} ORDER BY key"
            );
            let mut statement = self.connection.prepare_cached(&select)?;
            let read = |row: &Row<'_>| {
                let of_state: String = row.get(2)?;
                let state = state(&of_state).ok_or_else(|| wrong(2, "state"))?;
                Ok((Timestamp::from_nanos(row.get(0)?), (row.get(1)?, state)))
            };
            statement.query_map(params![pipeline, from.as_nanos(), to.as_nanos()], read)?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the time between a run's ends and the retries that followed them. It reads all records of the run.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn idle(&self, run: RunKey) -> Result<Duration, JournalError> {
        let query = || -> rusqlite::Result<Duration> {
            let select = "SELECT kind, at FROM records WHERE run = ?1 AND kind IN (?2, ?3) ORDER BY seq";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut rows = statement.query(params![run, rows::RUN_ENDED, rows::CLEARED])?;
            let (mut ended, mut idle) = (None::<Timestamp>, Duration::ZERO);
            while let Some(row) = rows.next()? {
                let (kind, at): (i64, i64) = (row.get(0)?, row.get(1)?);
                let at = Timestamp::from_nanos(at);
                if kind == rows::RUN_ENDED {
                    ended = Some(at);
                } else if let Some(ended) = ended.take() {
                    idle += at.since(ended);
                }
            }
            Ok(idle)
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

    /// Returns the paused pipelines.
    pub(crate) fn paused(&self) -> Result<HashSet<String>, JournalError> {
        let query = || -> rusqlite::Result<HashSet<String>> {
            self.connection.prepare_cached("SELECT pipeline FROM paused")?.query_map([], |row| row.get(0))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the runs that have not ended, the oldest first.
    pub(crate) fn unfinished(&self) -> Result<Vec<StoredRun>, JournalError> {
        self.runs_where("WHERE state IN ('queued', 'running') ORDER BY key", [])
    }

    /// Returns the runs that have ended but have undelivered notifications.
    pub(crate) fn untold(&self) -> Result<Vec<StoredRun>, JournalError> {
        self.runs_where("WHERE state NOT IN ('queued', 'running') AND key IN (SELECT run FROM due) ORDER BY key", [])
    }

    /// Returns the notifications of a run that are still to be delivered.
    pub(crate) fn due(&self, run: RunKey) -> Result<Vec<u32>, JournalError> {
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

    /// Returns the run of an interval that decides for runs that depend on it: one that has not ended, otherwise the one that
    /// ended last.
    pub(crate) fn run_of_interval(&self, pipeline: &str, start: Timestamp) -> Result<Option<IntervalRun>, JournalError> {
        let select = "SELECT run_id, state, blocked IS NOT NULL FROM runs WHERE pipeline = ?1 AND interval_start = ?2 \
                      ORDER BY state = 'running' DESC, state = 'queued' DESC, finished DESC, key DESC LIMIT 1";
        let read = |row: &Row<'_>| {
            let of_state: String = row.get(1)?;
            let state = state(&of_state).ok_or_else(|| wrong(1, "state"))?.name();
            Ok(IntervalRun { run_id: row.get(0)?, state: if row.get(2)? { BLOCKED } else { state } })
        };
        let query = || self.connection.prepare_cached(select)?.query_row(params![pipeline, start.as_nanos()], read).optional();
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

    /// Returns the last successful run of an interval before `start`.
    pub(crate) fn previous_success(&self, pipeline: &str, start: Timestamp) -> Result<Option<Previous>, JournalError> {
        let query = format!("SELECT interval_start, interval_end, coalesce(begun, created) FROM runs {PREVIOUS_SUCCESS}");
        let read = |row: &Row<'_>| Ok(previous(row.get(0)?, row.get(1)?, Some(row.get(2)?)));
        let found = self
            .connection
            .prepare_cached(&query)
            .and_then(|mut statement| statement.query_row(params![pipeline, start.as_nanos()], read).optional());
        found.map_err(self.failed())
    }

    /// Returns the runs that match a filter, the newest first.
    ///
    /// Each pair of a kind and a state is a range of an index in the order of keys, and at most `limit` keys of each are read,
    /// however many runs there are and however few of them match.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Vec<StoredRun>, JournalError> {
        let after = filter
            .since
            .map(|since| last_before(&self.connection, since))
            .transpose()
            .map_err(self.failed())?
            .flatten()
            .unwrap_or(0);
        let query = keys_query(filter);
        let values = params![filter.before.unwrap_or(RunKey::MAX), after, filter.limit, filter.pipeline];
        let read = || -> rusqlite::Result<Vec<RunKey>> {
            let mut statement = self.connection.prepare(&query)?;
            let used = statement.parameter_count();
            let values: &[&dyn rusqlite::ToSql] = values;
            statement.query_map(&values[..used], |row| row.get(0))?.collect()
        };
        let mut keys = read().map_err(self.failed())?;
        keys.sort_unstable_by(|a, b| b.cmp(a));
        keys.truncate(filter.limit as usize);
        let mut runs = Vec::with_capacity(keys.len());
        for key in keys {
            runs.extend(self.runs_where("WHERE key = ?1", [key])?);
        }
        Ok(runs)
    }

    /// Returns the time of the newest run, or of the newest record of an unfinished run, whichever is later.
    pub(crate) fn newest(&self) -> Result<Option<Newest>, JournalError> {
        let query = "SELECT at, run_id, pipeline FROM (SELECT max(at) AS at, run AS key FROM records WHERE run IN \
                     (SELECT key FROM runs WHERE state IN ('queued', 'running')) \
                     UNION ALL SELECT created, key FROM (SELECT created, key FROM runs ORDER BY key DESC LIMIT 1)) \
                     JOIN runs USING (key) WHERE at IS NOT NULL ORDER BY at DESC LIMIT 1";
        let read =
            |row: &Row<'_>| Ok(Newest { at: Timestamp::from_nanos(row.get(0)?), run_id: row.get(1)?, pipeline: row.get(2)? });
        self.connection.query_row(query, [], read).optional().map_err(self.failed())
    }

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

    /// Returns a number that differs from that of the last call if anything was committed in between.
    pub(crate) fn version(&self) -> Result<i64, JournalError> {
        let query = || self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0));
        query().map_err(self.failed())
    }

    /// Returns the run of that key.
    pub(crate) fn run_of_key(&self, key: RunKey) -> Result<Option<StoredRun>, JournalError> {
        Ok(self.runs_where("WHERE key = ?1", [key])?.pop())
    }

    /// Returns a run's records, in order.
    pub(crate) fn entries(&self, run: RunKey) -> Result<Vec<StoredEntry>, JournalError> {
        Ok(self.entries_after(run, 0)?.entries)
    }

    /// Returns a run's records after the one of that number, in order.
    pub(crate) fn entries_after(&self, run: RunKey, after: i64) -> Result<Tail, JournalError> {
        self.entries_between(run, after, i64::MAX, u32::MAX)
    }

    /// Returns at most `most` of a run's records, after number `after` and up to number `until`, in order.
    pub(crate) fn entries_between(&self, run: RunKey, after: i64, until: i64, most: u32) -> Result<Tail, JournalError> {
        let query = || -> rusqlite::Result<Tail> {
            let select = "SELECT at, kind, slot, number, time, text, body, seq FROM records \
                          WHERE run = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut read = Tail { last: after, ..Tail::default() };
            let mut rows = statement.query(params![run, after, until, most])?;
            while let Some(row) = rows.next()? {
                let (seq, row) = (row.get(7)?, RecordRow::read(row)?);
                read.last = seq;
                match row.as_remap() {
                    Some(remap) => {
                        read.renamed = true;
                        StoredEntry::remap(&mut read.entries, &remap);
                        read.removed.extend(remap.removed);
                    }
                    None => read.entries.push(row.into_entry(seq)?),
                }
            }
            Ok(read)
        };
        query().map_err(self.failed())
    }

    /// True if a run was resumed with another plan, so that its earlier records name other slots. Checks the kinds of all its
    /// records without decoding any.
    pub(crate) fn is_renamed(&self, run: RunKey) -> Result<bool, JournalError> {
        let query = || -> rusqlite::Result<bool> {
            let select = "SELECT EXISTS (SELECT 1 FROM records WHERE run = ?1 AND kind = ?2)";
            self.connection.prepare_cached(select)?.query_row([run, rows::REMAP], |row| row.get(0))
        };
        query().map_err(self.failed())
    }

    /// Returns a run's records of the two kinds that show which nodes are sensors, in order: `NotYet` and `Unfolded`.
    pub(crate) fn entries_of_sensors(&self, run: RunKey) -> Result<Vec<StoredEntry>, JournalError> {
        let query = || -> rusqlite::Result<Vec<StoredEntry>> {
            let select = "SELECT at, kind, slot, number, time, text, body, seq FROM records \
                          WHERE run = ?1 AND kind IN (?2, ?3) ORDER BY seq";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut rows = statement.query([run, rows::NOT_YET, rows::UNFOLDED])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(RecordRow::read(row)?.into_entry(row.get(7)?)?);
            }
            Ok(entries)
        };
        query().map_err(self.failed())
    }
}

/// A row of `id, node, attempt, at, level, line`.
pub(super) fn read_line(row: &Row<'_>) -> rusqlite::Result<StoredLine> {
    Ok(StoredLine {
        id: row.get(0)?,
        node: row.get(1)?,
        attempt: row.get(2)?,
        at: Timestamp::from_nanos(row.get(3)?),
        level: super::logs::level(row.get(4)?).unwrap_or(Level::INFO),
        text: row.get(5)?,
    })
}

/// Returns the last run created before that time. Keys are in the order of creation times, which the clock of the creating
/// process ensures, so a binary search finds it.
pub(super) fn last_before(connection: &Connection, time: Timestamp) -> rusqlite::Result<Option<RunKey>> {
    let mut next = connection.prepare_cached("SELECT key, created FROM runs WHERE key >= ?1 ORDER BY key LIMIT 1")?;
    let last: Option<RunKey> = connection.query_row("SELECT max(key) FROM runs", [], |row| row.get(0))?;
    // All runs up to `low` were created before; the next run that was not, if there is one, is at `high` or earlier.
    let (mut low, mut high) = (0, last.unwrap_or(0) + 1);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        let found = next.query_row([middle], |row| Ok((row.get::<_, RunKey>(0)?, row.get::<_, i64>(1)?))).optional()?;
        match found {
            Some((key, created)) if created < time.as_nanos() => low = key,
            _ => high = middle,
        }
    }
    Ok((low > 0).then_some(low))
}

/// Builds the query for the keys of the runs that match a filter: ?1 and ?2 are the keys that they lie between, ?3 is the limit,
/// ?4 the pipeline.
fn keys_query(filter: &Filter) -> String {
    let of_pipeline = filter.pipeline.as_ref().map(|_| "pipeline = ?4 AND ");
    if filter.blocked {
        let of_kind = filter.kind.map(|kind| format!("kind = '{kind}' AND ")).unwrap_or_default();
        let of_pipeline = of_pipeline.unwrap_or_default();
        return format!(
            "SELECT key FROM runs INDEXED BY blocked_runs WHERE {of_pipeline}{of_kind}blocked IS NOT NULL \
             AND key < ?1 AND key > ?2 ORDER BY key DESC LIMIT ?3"
        );
    }
    if of_pipeline.is_none() && filter.state.is_none() && filter.kind.is_none() {
        return "SELECT key FROM runs WHERE key < ?1 AND key > ?2 ORDER BY key DESC LIMIT ?3".to_owned();
    }
    let states = RunState::ALL.into_iter().filter(|state| filter.state.is_none_or(|wanted| wanted == *state));
    let kinds = RunKind::ALL.into_iter().filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind));
    let pairs = states.flat_map(|state| kinds.clone().map(move |kind| (state, kind)));
    let of_pair = |(state, kind): (RunState, RunKind)| {
        let of_pipeline = of_pipeline.unwrap_or_default();
        let not_blocked = if filter.state.is_some() && !state.is_end() { "blocked IS NULL AND " } else { "" };
        format!(
            "SELECT * FROM (SELECT key FROM runs WHERE {of_pipeline}state = '{state}' AND kind = '{kind}' AND {not_blocked}key < ?1 \
             AND key > ?2 ORDER BY key DESC LIMIT ?3)"
        )
    };
    pairs.map(of_pair).collect::<Vec<_>>().join(" UNION ALL ")
}

pub(super) fn interval(start: i64, end: i64) -> Interval {
    Interval { start: Timestamp::from_nanos(start).to_utc(), end: Timestamp::from_nanos(end).to_utc() }
}

fn previous(start: i64, end: i64, began: Option<i64>) -> Previous {
    let began = began.map(|began| Timestamp::from_nanos(began).to_utc());
    Previous { interval: interval(start, end), began }
}

fn wrong(column: usize, name: &str) -> rusqlite::Error {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    /// A journal of that many runs, each with three records. One in a hundred failed, and three in all are of pipeline `rare`.
    fn journal(runs: i64) -> (tempfile::TempDir, Reader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = schema::open(&path).unwrap();
        connection.execute("INSERT INTO skeletons VALUES (1, '{}')", []).unwrap();
        let counted = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)";
        let fill = format!(
            "{counted} INSERT INTO runs (key, run_id, pipeline, kind, interval_start, interval_end, params, state, created, \
             sla_from, finished, seed, skeleton) SELECT n, 'run__' || n, iif(n % (?1 / 3) = 1, 'rare', 'nightly'), \
             iif(n % 2, 'manual', 'scheduled'), n, n + 1, 'null', iif(n % 100 = 7, 'failed', 'success'), n, n, n, 0, 1 FROM n"
        );
        connection.execute(&fill, [runs]).unwrap();
        let records = "INSERT INTO records (run, seq, at, kind) SELECT n, column1, n, 1 FROM n, (VALUES (1), (2), (3))";
        connection.execute(&format!("{counted} {records}"), [runs]).unwrap();
        drop(connection);
        (folder, Reader::open(&path).unwrap())
    }

    fn filters() -> Vec<Filter> {
        let mut filters = Vec::new();
        for pipeline in [None, Some("rare"), Some("nightly"), Some("unknown")] {
            for state in [None, Some(RunState::Success), Some(RunState::Failed), Some(RunState::Running)] {
                for kind in [None, Some(RunKind::Manual), Some(RunKind::Backfill)] {
                    filters.push(Filter { pipeline: pipeline.map(str::to_owned), state, kind, limit: 5, ..Filter::default() });
                }
            }
            let pipeline = pipeline.map(str::to_owned);
            filters.push(Filter { pipeline, blocked: true, limit: 5, ..Filter::default() });
        }
        filters
    }

    /// The number of instructions that `SQLite` executes for a page of runs, which does not depend on this machine's speed.
    fn steps(reader: &Reader, filter: &Filter) -> i32 {
        let mut query = reader.connection.prepare(&keys_query(filter)).unwrap();
        let used = query.parameter_count();
        let values: &[&dyn rusqlite::ToSql] = params![RunKey::MAX, 0, filter.limit, filter.pipeline];
        let keys: Vec<i64> = query.query_map(&values[..used], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(keys.len() <= 15 * 5, "{keys:?}");
        query.get_status(StatementStatus::VmStep)
    }

    #[test]
    fn a_page_of_runs_takes_as_many_steps_of_many_runs_as_of_few() {
        let ((_few, few), (_many, many)) = (journal(2_000), journal(40_000));
        for filter in filters() {
            let (of_few, of_many) = (steps(&few, &filter), steps(&many, &filter));
            assert!(of_many <= of_few + 20, "{filter:?}: {of_few} steps of 2,000 runs, {of_many} of 40,000");
        }
    }

    #[test]
    fn a_query_that_is_asked_again_is_not_prepared_again() {
        let (_folder, reader) = journal(300);
        for _ in 0..3 {
            for limit in 1..4 {
                reader.active_runs(limit).unwrap();
                reader.count("nightly", RunState::Success).unwrap();
            }
        }
        let again = |select: &str| {
            let statement = reader.connection.prepare_cached(select).unwrap();
            assert!(statement.get_status(StatementStatus::Run) >= 9, "it is another statement: {select}");
            statement.get_status(StatementStatus::RePrepare)
        };
        let limited = "SELECT key, (SELECT coalesce(max(seq), 0) FROM records WHERE run = key) FROM runs \
                       WHERE state = 'running' AND blocked IS NULL ORDER BY key DESC LIMIT ?1";
        assert_eq!(again(limited), 0);
        assert_eq!(again("SELECT count(*) FROM runs WHERE pipeline = ?1 AND state = ?2"), 0);
    }

    #[test]
    fn no_query_reads_all_runs_or_sorts_them() {
        let (_folder, reader) = journal(300);
        let all = filters().iter().map(keys_query).collect::<Vec<_>>();
        let single = [
            "SELECT key FROM runs WHERE run_id = ?1",
            "SELECT key FROM runs WHERE run_id = ?1 AND pipeline = ?2",
            "SELECT max(key) FROM runs",
            "SELECT key, created FROM runs WHERE key >= ?1 ORDER BY key LIMIT 1",
            "SELECT run_id FROM runs WHERE pipeline = ?1 AND kind = ?2 AND interval_start = ?3",
            "SELECT run_id FROM runs WHERE ticket = ?1",
            "SELECT id FROM logs WHERE run = ?1 AND node = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
            "SELECT seq FROM records WHERE run = ?1 AND seq > ?2 ORDER BY seq",
        ];
        for query in all.iter().map(String::as_str).chain(single) {
            let mut explained = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let values = vec![0; explained.parameter_count()];
            let steps = explained.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
            for step in steps.map(Result::unwrap) {
                let reads_all = ["SCAN runs", "SCAN logs", "SCAN records", "TEMP B-TREE"].iter().any(|all| step.contains(all));
                assert!(!reads_all, "{query}: {step}");
            }
        }
    }

    #[test]
    fn pages_and_times_leave_nothing_out() {
        let (_folder, reader) = journal(600);
        let mut filter = Filter { pipeline: Some("nightly".into()), limit: 50, ..Filter::default() };
        let mut seen = Vec::new();
        loop {
            let page = reader.runs(&filter).unwrap();
            let Some(last) = page.last() else { break };
            filter.before = Some(last.key);
            seen.extend(page.iter().map(|run| run.key));
        }
        assert_eq!(seen.len(), 597);
        assert!(seen.is_sorted_by(|a, b| a > b));
        for since in [0, 1, 2, 300, 599, 600, 601] {
            let since = Filter { since: Some(Timestamp::from_nanos(since)), limit: 1_000, ..Filter::default() };
            let expected = 600 - since.since.unwrap().as_nanos().clamp(1, 601) + 1;
            assert_eq!(i64::try_from(reader.runs(&since).unwrap().len()).unwrap(), expected, "{since:?}");
        }
    }
}
