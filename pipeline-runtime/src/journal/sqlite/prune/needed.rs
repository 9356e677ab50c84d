//! Which old runs stay because something still depends on them.

use crate::engine::RunState;
use crate::journal::sqlite::intervals::{LAST_SCHEDULED, OUTCOME, PREVIOUS_SUCCESS};
use crate::journal::{RunKey, RunKind};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;

/// True for a row of `runs` of pipeline `?1` that is still needed, however old it is: a notification of it is due; the command
/// that made it is not answered, and would make it again; a queued run depends on the interval before its own; a node of an
/// unfinished run depends on the last interval before its own that had a scheduled or a backfill run; or it is the newest run of
/// all. Conditions that are the same for all rows are evaluated once per step.
pub(super) const IS_AWAITED: &str = "(EXISTS (SELECT 1 FROM due WHERE run = key) \
     OR ticket IS NOT NULL AND EXISTS (SELECT 1 FROM inbox WHERE id = ticket AND answer IS NULL) \
     OR key = (SELECT max(key) FROM runs) \
     OR EXISTS (SELECT 1 FROM runs WHERE pipeline = ?1 AND state = 'queued') AND interval_end > interval_start \
        AND EXISTS (SELECT 1 FROM runs AS after INDEXED BY runs_by_interval \
        WHERE after.pipeline = ?1 AND after.interval_start = runs.interval_end AND after.state = 'queued') \
     OR EXISTS (SELECT 1 FROM runs WHERE pipeline = ?1 AND state IN ('queued', 'running')) \
        AND EXISTS (SELECT 1 FROM runs AS after INDEXED BY runs_by_interval \
        WHERE after.pipeline = ?1 AND after.state IN ('queued', 'running') AND after.kind IN ('scheduled', 'backfill') \
        AND after.interval_start = (SELECT next.interval_start FROM runs AS next INDEXED BY runs_by_interval \
            WHERE next.pipeline = ?1 AND next.interval_start > runs.interval_start AND next.kind IN ('scheduled', 'backfill') \
            ORDER BY next.interval_start LIMIT 1)))";

/// Returns the runs that a pipeline's next runs depend on, by a schedule that goes by that date:
///
/// - the scheduled run of the latest interval that has ended, after which the next one runs, and those of later intervals, which
///   ran while the calendar showed a later date: otherwise an interval would run a second time;
/// - the run of each of these intervals that ended last, of any kind: its state counts for runs that depend on their past;
/// - the last success before each interval that may run next, for templates;
/// - the newest run of each other kind.
pub(super) fn needed_by_schedule(connection: &Connection, pipeline: &str, date: Timestamp) -> rusqlite::Result<HashSet<RunKey>> {
    let mut keys = HashSet::new();
    let newest = "SELECT key FROM runs WHERE pipeline = ?1 AND state = ?2 AND kind = ?3 ORDER BY key DESC LIMIT 1";
    let mut newest = connection.prepare_cached(newest)?;
    let mut newest = |kind: RunKind| -> rusqlite::Result<Option<RunKey>> {
        let mut of_kind = None;
        for state in RunState::ALL {
            let values = params![pipeline, state.name(), kind.name()];
            of_kind = of_kind.max(newest.query_row(values, |row| row.get::<_, RunKey>(0)).optional()?);
        }
        Ok(of_kind)
    };
    keys.extend(newest(RunKind::Manual)?);
    keys.extend(newest(RunKind::Backfill)?);
    keys.extend(newest(RunKind::AssetTriggered)?);
    // Without a scheduled run the query would read all runs of the pipeline.
    let end = if newest(RunKind::Scheduled)?.is_some() { scheduled(connection, pipeline, date, &mut keys)? } else { i64::MIN };
    let mut success = connection.prepare_cached(&format!("SELECT key FROM runs {PREVIOUS_SUCCESS}"))?;
    for before in [end, date.as_nanos(), i64::MAX] {
        keys.extend(success.query_row(params![pipeline, before], |row| row.get::<_, RunKey>(0)).optional()?);
    }
    Ok(keys)
}

/// Adds the runs of the intervals that the schedule depends on. Returns the end of the latest that has ended.
fn scheduled(connection: &Connection, pipeline: &str, date: Timestamp, keys: &mut HashSet<RunKey>) -> rusqlite::Result<i64> {
    let last = format!("SELECT interval_start, interval_end FROM runs {LAST_SCHEDULED}");
    let last =
        connection.prepare_cached(&last)?.query_row(params![pipeline, date.as_nanos()], |row| Ok((row.get(0)?, row.get(1)?)));
    let (start, end): (i64, i64) = last.optional()?.unwrap_or((i64::MIN, i64::MIN));
    let from = "SELECT key, interval_start FROM runs WHERE pipeline = ?1 AND kind = 'scheduled' AND interval_start >= ?2";
    let outcome = format!("SELECT key FROM runs {OUTCOME}");
    let (mut from, mut outcome) = (connection.prepare_cached(from)?, connection.prepare_cached(&outcome)?);
    let mut rows = from.query(params![pipeline, start])?;
    while let Some(row) = rows.next()? {
        let (key, start): (RunKey, i64) = (row.get(0)?, row.get(1)?);
        keys.insert(key);
        keys.extend(outcome.query_row(params![pipeline, start], |row| row.get::<_, RunKey>(0)).optional()?);
    }
    Ok(end)
}
