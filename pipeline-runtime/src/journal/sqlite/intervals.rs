//! Runs by their data intervals: what the scheduler, runs that depend on their past, and runs that wait for others ask for.

use super::prune::pruned_intervals;
use super::rows::state;
use super::runs::{interval, previous, wrong};
use super::{JournalError, Reader};
use crate::author::previous::Previous;
use crate::engine::RunState;
use crate::journal::{BLOCKED, RunKey, RunKind};
use crate::schedule::Interval;
use crate::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwaitedRun {
    pub(crate) run_id: String,
    pub(crate) interval: Interval,
    pub(crate) state: RunState,
    pub(crate) is_blocked: bool,
    pub(crate) started: Timestamp,
    pub(crate) finished: Option<Timestamp>,
}

/// A run of an interval, and its shown state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntervalRun {
    pub(crate) run_id: String,
    pub(crate) state: &'static str,
}

/// The run of pipeline `?1` for the latest scheduled interval that has ended at `?2`. `prune` spares it, and what the next two
/// find.
pub(super) const LAST_SCHEDULED: &str =
    "WHERE pipeline = ?1 AND kind = 'scheduled' AND interval_end <= ?2 ORDER BY interval_start DESC LIMIT 1";

/// The run of pipeline `?1` that ended last, for the interval that starts at `?2`.
pub(super) const OUTCOME: &str = "WHERE pipeline = ?1 AND interval_start = ?2 AND state NOT IN ('queued', 'running') \
                                  ORDER BY finished DESC, key DESC LIMIT 1";

/// The run of pipeline `?1` that others wait for, for the interval that starts at `?2`: the newest success, otherwise the newest.
const AWAITED: &str = "WHERE pipeline = ?1 AND interval_start = ?2 ORDER BY state = 'success' DESC, key DESC LIMIT 1";

/// The last success of pipeline `?1` whose interval starts before `?2`.
pub(super) const PREVIOUS_SUCCESS: &str = "WHERE pipeline = ?1 AND state = 'success' AND interval_start < ?2 \
                                           ORDER BY interval_start DESC, key DESC LIMIT 1";

impl Reader {
    /// Returns the latest interval that a pipeline's schedule has made a run for and that has ended at `now`. If the runs of all
    /// intervals from it until after `now` are deleted, returns these intervals as one: none of them runs again.
    pub(crate) fn last_scheduled(&self, pipeline: &str, now: Timestamp) -> Result<Option<Interval>, JournalError> {
        let stored = self.runs_where(LAST_SCHEDULED, params![pipeline, now.as_nanos()])?.pop().map(|run| run.interval);
        let deleted = pruned_intervals::last(&self.connection, pipeline, now).map_err(self.failed())?;
        Ok(stored.into_iter().chain(deleted).max_by_key(|interval| interval.end))
    }

    /// Returns the stretches of intervals after `last` whose scheduled runs are deleted.
    pub(crate) fn deleted_after(&self, pipeline: &str, last: Option<Interval>) -> Result<Vec<Interval>, JournalError> {
        let from = Timestamp::from_nanos(last.map_or(i64::MIN, |last| Timestamp::from(last.end).as_nanos()));
        pruned_intervals::from(&self.connection, pipeline, from).map_err(self.failed())
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

    /// Returns the run of that interval that others wait for.
    pub(crate) fn awaited_run(&self, pipeline: &str, start: Timestamp) -> Result<Option<AwaitedRun>, JournalError> {
        self.awaited_where(AWAITED, params![pipeline, start.as_nanos()])
    }

    /// Returns the run of that id, for a waiting run.
    pub(crate) fn awaited_run_by_id(&self, pipeline: &str, run_id: &str) -> Result<Option<AwaitedRun>, JournalError> {
        self.awaited_where("WHERE run_id = ?2 AND pipeline = ?1", params![pipeline, run_id])
    }

    fn awaited_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<AwaitedRun>, JournalError> {
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

    /// Returns the runs of the last interval before `start` that has a scheduled or a backfill run, runs of all kinds: first
    /// those that are unfinished, then those that ended, the last of them first.
    pub(crate) fn runs_of_interval_before(&self, pipeline: &str, start: Timestamp) -> Result<Vec<String>, JournalError> {
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
}
