//! One pass over old runs, in steps of one bounded transaction each.

use super::needed::{IS_AWAITED, needed_by_schedule};
use super::{Pruned, can_shrink, free, length, pruned_intervals};
use crate::engine::RunState;
use crate::journal::sqlite::listing::last_before;
use crate::journal::sqlite::stage::{self, Stage};
use crate::journal::sqlite::transaction::transaction;
use crate::journal::sqlite::updates::IS_UNUSED;
use crate::journal::{RunKey, RunKind};
use crate::time::Timestamp;
use rusqlite::{Connection, params};
use std::collections::{HashSet, VecDeque};

/// The most runs that a step reads.
const READS: usize = 250;
/// The most rows that a step deletes.
const ROWS: usize = 500;
/// The most bytes of outputs, params, errors and log lines in the rows that a step deletes; the row that exceeds the limit is its
/// last.
const BYTES: u64 = 1 << 20;
/// The most pages that a step returns.
const PAGES: i64 = 100;

/// The plans that were used since the pass began to look for unused ones; `None` while it does not.
pub(in crate::journal::sqlite) type PlansInUse = Option<HashSet<i64>>;

/// A pass.
#[derive(Debug)]
pub(crate) struct Pass {
    scope: Scope,
    date: Timestamp,
    /// Everything created before is older than what must stay.
    oldest: Timestamp,
    /// Runs that stay, because this process hosts them.
    hosted: HashSet<RunKey>,
    part: Part,
    /// Deleted runs whose records and log lines still exist.
    garbage: VecDeque<RunKey>,
    /// The number of rows that the present step has read, and whether it has changed any.
    rows_read: usize,
    has_changed: bool,
    pruned: Pruned,
}

#[derive(Debug)]
enum Scope {
    /// Runs of all pipelines that ended before `before`. `last` is the pipeline that was handled last.
    All { before: Timestamp, last: String },
    /// For each of these pipelines the runs that ended before its time.
    Pipelines(VecDeque<(String, Timestamp)>),
}

#[derive(Debug)]
enum Part {
    /// Looks for rows without a run, which a process left that died.
    Sweep {
        table: &'static str,
        after: RunKey,
    },
    /// Continues with the next pipeline.
    Next,
    Runs(PipelineRuns),
    /// Looks for updates of assets that nobody needs any more.
    Updates {
        after: i64,
    },
    /// Looks for plans that no run has any more.
    Plans {
        after: RunKey,
        used: HashSet<i64>,
    },
    DeletePlans {
        after: i64,
        used: HashSet<i64>,
    },
    /// Returns that many free pages.
    Pages {
        left: i64,
    },
    Checkpoint,
    Over,
}

/// The old runs of a pipeline.
#[derive(Debug)]
struct PipelineRuns {
    id: String,
    before: Timestamp,
    /// The last run created before `before`.
    last: RunKey,
    needed_by_schedule: HashSet<RunKey>,
    /// The ranges of an index that are left to read.
    ranges: Vec<(RunState, RunKind)>,
    after: RunKey,
}

/// What a step may still delete.
struct Room {
    rows: usize,
    bytes: u64,
}

impl Room {
    fn is_full(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }

    fn take(&mut self, bytes: u64) {
        self.rows -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Pass {
    fn new(scope: Scope, date: Timestamp, part: Part) -> Self {
        let (hosted, garbage) = (HashSet::new(), VecDeque::new());
        let oldest = match &scope {
            Scope::All { before, .. } => Some(*before),
            Scope::Pipelines(pipelines) => pipelines.iter().map(|(_, before)| *before).min(),
        };
        let oldest = oldest.unwrap_or_default();
        Self { scope, date, oldest, hosted, part, garbage, rows_read: 0, has_changed: false, pruned: Pruned::default() }
    }

    /// Deletes the runs of all pipelines that ended before `before`. `date` is the date by which schedules go.
    pub(crate) fn of_all(before: Timestamp, date: Timestamp) -> Self {
        let sweep = Part::Sweep { table: "records", after: RunKey::MIN };
        Self::new(Scope::All { before, last: String::new() }, date, sweep)
    }

    /// Only counts those runs.
    pub(super) fn dry(before: Timestamp, date: Timestamp) -> Self {
        let mut pass = Self::of_all(before, date);
        pass.pruned.is_dry = true;
        pass.part = Part::Next;
        pass
    }

    /// Deletes the runs of each of these pipelines that ended before its time. The first pass of a process also `sweeps`: it
    /// deletes what a process that died has left.
    pub(crate) fn of(pipelines: Vec<(String, Timestamp)>, date: Timestamp, sweeps: bool) -> Self {
        let part = if sweeps { Part::Sweep { table: "records", after: RunKey::MIN } } else { Part::Next };
        Self::new(Scope::Pipelines(pipelines.into()), date, part)
    }

    /// Spares these runs from now on.
    pub(crate) fn spare(&mut self, hosted: HashSet<RunKey>) {
        self.hosted = hosted;
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.part, Part::Over)
    }

    pub(crate) fn pruned(&self) -> &Pruned {
        &self.pruned
    }

    /// Does the next step.
    pub(in crate::journal::sqlite) fn step(
        &mut self,
        connection: &Connection,
        in_use: &mut PlansInUse,
        on_busy: &mut dyn FnMut(),
    ) -> rusqlite::Result<()> {
        if self.pruned.is_dry {
            return self.work(connection, in_use);
        }
        if self.pruned.was == 0 {
            self.pruned.was = length(connection);
        }
        if matches!(self.part, Part::Checkpoint) {
            // The file shrinks with the checkpoint. If somebody reads, one of the next commits tries it again.
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            self.part = Part::Over;
            (self.pruned.file, self.pruned.free) = (length(connection), free(connection)?);
            return Ok(());
        }
        let transaction = transaction(connection, on_busy)?;
        stage::reach(Stage::Begun);
        self.work(&transaction, in_use)?;
        stage::reach(Stage::Written);
        transaction.commit()?;
        stage::reach(Stage::Kept);
        Ok(())
    }

    /// Works until it has changed something, or has read much.
    fn work(&mut self, connection: &Connection, in_use: &mut PlansInUse) -> rusqlite::Result<()> {
        (self.rows_read, self.has_changed) = (0, false);
        while !self.has_changed && self.rows_read < READS && !matches!(self.part, Part::Checkpoint | Part::Over) {
            self.work_on(connection, in_use)?;
        }
        Ok(())
    }

    fn work_on(&mut self, connection: &Connection, in_use: &mut PlansInUse) -> rusqlite::Result<()> {
        self.rows_read += 1;
        if !self.garbage.is_empty() {
            return self.delete_rows(connection);
        }
        self.part = match std::mem::replace(&mut self.part, Part::Over) {
            Part::Sweep { table, after } => self.sweep(connection, table, after)?,
            Part::Next => self.next_pipeline(connection)?,
            Part::Runs(of) => self.delete_runs(connection, of)?,
            Part::Updates { after } => self.delete_updates(connection, after)?,
            Part::Plans { after, used } => self.collect_plans(connection, in_use, after, used)?,
            Part::DeletePlans { after, used } => self.delete_plans(connection, in_use, after, used)?,
            Part::Pages { left } => self.return_pages(connection, left)?,
            Part::Checkpoint | Part::Over => Part::Over,
        };
        Ok(())
    }

    /// Checks the next runs that have rows in a table.
    fn sweep(&mut self, connection: &Connection, table: &'static str, mut after: RunKey) -> rusqlite::Result<Part> {
        let mut next = connection.prepare_cached(&format!("SELECT min(run) FROM {table} WHERE run > ?1"))?;
        let mut is_there = connection.prepare_cached("SELECT 1 FROM runs WHERE key = ?1")?;
        for _ in 0..READS {
            let Some(run) = next.query_row([after], |row| row.get::<_, Option<RunKey>>(0))? else {
                return Ok(if table == "records" { Part::Sweep { table: "logs", after: RunKey::MIN } } else { Part::Next });
            };
            if !is_there.exists([run])? {
                self.garbage.push_back(run);
            }
            (self.rows_read, after) = (self.rows_read + 1, run);
        }
        Ok(Part::Sweep { table, after })
    }

    fn next_pipeline(&mut self, connection: &Connection) -> rusqlite::Result<Part> {
        let next = match &mut self.scope {
            Scope::Pipelines(pipelines) => pipelines.pop_front(),
            Scope::All { before, last } => {
                let next = "SELECT min(pipeline) FROM runs WHERE pipeline > ?1";
                let next: Option<String> = connection.prepare_cached(next)?.query_row([&*last], |row| row.get(0))?;
                next.map(|next| {
                    last.clone_from(&next);
                    (next, *before)
                })
            }
        };
        let Some((id, before)) = next else {
            return Ok(match self.pruned {
                Pruned { is_dry: true, .. } => Part::Over,
                _ => Part::Updates { after: i64::MIN },
            });
        };
        // A run that ended before that time was also created before it, and runs are created in the order of their keys.
        let Some(last) = last_before(connection, before)? else { return Ok(Part::Next) };
        if matches!(self.scope, Scope::All { .. }) {
            let unfinished = "SELECT count(*) FROM runs WHERE pipeline = ?1 AND state IN ('queued', 'running') AND key <= ?2";
            let unfinished: i64 = connection.prepare_cached(unfinished)?.query_row(params![id, last], |row| row.get(0))?;
            self.pruned.kept += unfinished.unsigned_abs();
        }
        let needed_by_schedule = needed_by_schedule(connection, &id, self.date)?;
        let ended = RunState::ALL.into_iter().filter(|state| state.is_end());
        let ranges = ended.flat_map(|state| RunKind::ALL.map(|kind| (state, kind))).collect();
        Ok(Part::Runs(PipelineRuns { id, before, last, needed_by_schedule, ranges, after: RunKey::MIN }))
    }

    /// Deletes the rows of the next runs that may go.
    fn delete_runs(&mut self, connection: &Connection, mut of: PipelineRuns) -> rusqlite::Result<Part> {
        let Some((state, kind)) = of.ranges.last().copied() else { return Ok(Part::Next) };
        let select = format!(
            "SELECT key, CASE WHEN finished < ?6 THEN NOT {IS_AWAITED} END, octet_length(params), interval_start, interval_end FROM runs \
             WHERE pipeline = ?1 AND state = ?2 AND kind = ?3 AND key > ?4 AND key <= ?5 ORDER BY key LIMIT {READS}"
        );
        let mut select = connection.prepare_cached(&select)?;
        let mut rows = select.query(params![of.id, state.name(), kind.name(), of.after, of.last, of.before.as_nanos()])?;
        let mut room = Room { rows: ROWS, bytes: BYTES };
        let mut rows_read = 0;
        let mut gone = Vec::new();
        while !room.is_full()
            && let Some(row) = rows.next()?
        {
            rows_read += 1;
            of.after = row.get(0)?;
            // A run that was created before and ended later is not old.
            let Some(may_go) = row.get::<_, Option<bool>>(1)? else { continue };
            if may_go && !of.needed_by_schedule.contains(&of.after) && !self.hosted.contains(&of.after) {
                gone.push((of.after, (row.get(3)?, row.get(4)?)));
                room.take(row.get::<_, i64>(2)?.unsigned_abs());
            } else {
                self.pruned.kept += 1;
            }
        }
        drop(rows);
        self.rows_read += rows_read;
        if rows_read < READS && !room.is_full() {
            of.ranges.pop();
            of.after = RunKey::MIN;
        }
        self.pruned.runs += gone.len() as u64;
        if !self.pruned.is_dry {
            let mut delete = connection.prepare_cached("DELETE FROM runs WHERE key = ?1")?;
            for (run, interval) in gone {
                delete.execute([run])?;
                if kind == RunKind::Scheduled {
                    // In this commit: from then on nothing else shows that the schedule has run it.
                    pruned_intervals::add(connection, &of.id, interval)?;
                }
                self.garbage.push_back(run);
                self.has_changed = true;
            }
        }
        Ok(Part::Runs(of))
    }

    /// Deletes records and log lines of deleted runs.
    fn delete_rows(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut room = Room { rows: ROWS, bytes: BYTES };
        self.has_changed = true;
        while let Some(run) = self.garbage.front()
            && delete_records(connection, *run, &mut room)?
            && delete_lines(connection, *run, &mut room)?
        {
            connection.prepare_cached("DELETE FROM due WHERE run = ?1")?.execute([run])?;
            connection.prepare_cached("DELETE FROM run_updates WHERE run = ?1")?.execute([run])?;
            self.garbage.pop_front();
        }
        Ok(())
    }

    /// Deletes the next updates that nobody needs, in the order in which they were made.
    fn delete_updates(&mut self, connection: &Connection, mut after: i64) -> rusqlite::Result<Part> {
        let select = format!(
            "SELECT u.id, octet_length(u.value), u.at < ?2, u.at < ?2 AND {IS_UNUSED} FROM updates AS u \
             WHERE u.id > ?1 ORDER BY u.id LIMIT {READS}"
        );
        let mut select = connection.prepare_cached(&select)?;
        let mut rows = select.query(params![after, self.oldest.as_nanos()])?;
        let mut room = Room { rows: ROWS, bytes: BYTES };
        let (mut rows_read, mut is_last) = (0, false);
        let mut gone = Vec::new();
        while !room.is_full()
            && let Some(row) = rows.next()?
        {
            rows_read += 1;
            after = row.get(0)?;
            if !row.get::<_, bool>(2)? {
                is_last = true;
                break;
            }
            if row.get(3)? {
                gone.push(after);
                room.take(row.get::<_, i64>(1)?.unsigned_abs());
            }
        }
        drop(rows);
        self.rows_read += rows_read;
        self.has_changed |= !gone.is_empty();
        let mut delete = connection.prepare_cached("DELETE FROM updates WHERE id = ?1")?;
        gone.into_iter().try_for_each(|id| delete.execute([id]).map(drop))?;
        if !is_last && (rows_read == READS || room.is_full()) {
            return Ok(Part::Updates { after });
        }
        Ok(match self.pruned.runs {
            0 => pages_to_return(connection)?,
            _ => Part::Plans { after: RunKey::MIN, used: HashSet::new() },
        })
    }

    /// Collects the plans of the next runs. The plans of runs that begin meanwhile are in `in_use`.
    fn collect_plans(
        &mut self,
        connection: &Connection,
        in_use: &mut PlansInUse,
        mut after: RunKey,
        mut used: HashSet<i64>,
    ) -> rusqlite::Result<Part> {
        if after == RunKey::MIN {
            *in_use = Some(HashSet::new());
        }
        let select = format!("SELECT key, skeleton FROM runs WHERE key > ?1 ORDER BY key LIMIT {READS}");
        let mut select = connection.prepare_cached(&select)?;
        let mut rows = select.query([after])?;
        let mut rows_read = 0;
        while let Some(row) = rows.next()? {
            rows_read += 1;
            after = row.get(0)?;
            used.insert(row.get(1)?);
        }
        self.rows_read += rows_read;
        Ok(if rows_read < READS { Part::DeletePlans { after: i64::MIN, used } } else { Part::Plans { after, used } })
    }

    /// Deletes the next plans that no run has.
    fn delete_plans(
        &mut self,
        connection: &Connection,
        in_use: &mut PlansInUse,
        mut after: i64,
        used: HashSet<i64>,
    ) -> rusqlite::Result<Part> {
        let select = format!("SELECT id FROM skeletons WHERE id > ?1 ORDER BY id LIMIT {READS}");
        let mut select = connection.prepare_cached(&select)?;
        let plans: Vec<i64> = select.query_map([after], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        self.rows_read += plans.len();
        for plan in &plans {
            if !used.contains(plan) && !in_use.as_ref().is_some_and(|in_use| in_use.contains(plan)) {
                connection.prepare_cached("DELETE FROM skeletons WHERE id = ?1")?.execute([plan])?;
                self.has_changed = true;
            }
            after = *plan;
        }
        if plans.len() == READS {
            return Ok(Part::DeletePlans { after, used });
        }
        *in_use = None;
        pages_to_return(connection)
    }

    fn return_pages(&mut self, connection: &Connection, left: i64) -> rusqlite::Result<Part> {
        if left <= 0 {
            return Ok(Part::Checkpoint);
        }
        self.has_changed = true;
        // Each returned page is a row, and reading the rows returns the pages.
        connection.pragma(None, "incremental_vacuum", left.min(PAGES), |_| Ok(()))?;
        Ok(Part::Pages { left: left - PAGES })
    }
}

/// Returns true if none are left.
fn delete_records(connection: &Connection, run: RunKey, room: &mut Room) -> rusqlite::Result<bool> {
    let select =
        "SELECT seq, coalesce(octet_length(text), 0) + coalesce(octet_length(body), 0) FROM records WHERE run = ?1 ORDER BY seq";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query([run])?;
    let mut last: Option<i64> = None;
    let is_all = loop {
        if room.is_full() {
            break false;
        }
        let Some(row) = rows.next()? else { break true };
        last = Some(row.get(0)?);
        room.take(row.get::<_, i64>(1)?.unsigned_abs());
    };
    drop(rows);
    if let Some(last) = last {
        connection.prepare_cached("DELETE FROM records WHERE run = ?1 AND seq <= ?2")?.execute(params![run, last])?;
    }
    Ok(is_all)
}

/// Returns true if none are left.
fn delete_lines(connection: &Connection, run: RunKey, room: &mut Room) -> rusqlite::Result<bool> {
    let select = "SELECT node, id, octet_length(line) FROM logs WHERE run = ?1 ORDER BY node, id";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query([run])?;
    let mut last: Option<(String, i64)> = None;
    let is_all = loop {
        if room.is_full() {
            break false;
        }
        let Some(row) = rows.next()? else { break true };
        last = Some((row.get(0)?, row.get(1)?));
        room.take(row.get::<_, i64>(2)?.unsigned_abs());
    };
    drop(rows);
    if let Some((node, id)) = last {
        let delete = "DELETE FROM logs WHERE run = ?1 AND (node, id) <= (?2, ?3)";
        connection.prepare_cached(delete)?.execute(params![run, node, id])?;
    }
    Ok(is_all)
}

/// The pages that are free now. Others may free more meanwhile, or use some of them.
fn pages_to_return(connection: &Connection) -> rusqlite::Result<Part> {
    let left =
        if can_shrink(connection)? { connection.pragma_query_value(None, "freelist_count", |row| row.get(0))? } else { 0 };
    Ok(Part::Pages { left })
}
