//! What each [`WriteOp`] changes in the file, within the transaction of its commit.

use super::acts;
use super::inbox::Ticket;
use super::prune::PlansInUse;
use super::rows::RecordRow;
use super::settings;
use super::tally::{self, Counts};
use super::updates::{self, CommitEvent};
use super::write_op::{Batch, RunStart, WriteOp};
use crate::engine::{Entry, Record, RunState};
use crate::hash::Fnv1a;
use crate::journal::{RunKey, StoredRun};
use crate::schedule::RunKind;
use crate::time::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::collections::HashMap;
use std::sync::Arc;

/// What the writer remembers from one operation to the next.
#[derive(Debug, Default)]
pub(super) struct WriterState {
    /// The sequence number of each run's next record.
    pub(super) next_seq: HashMap<RunKey, i64>,
    /// The plans in use, while a pass looks for unused ones.
    pub(super) plans: PlansInUse,
    /// The events of the present commit.
    pub(super) events: Vec<CommitEvent>,
    /// The counts since the last commit.
    pub(super) counts: Counts,
    /// The names of pipelines.
    pipelines: HashMap<&'static str, Arc<str>>,
}

/// Writes one operation.
pub(super) fn write(connection: &Connection, writer_state: &mut WriterState, op: &WriteOp) -> rusqlite::Result<()> {
    match op {
        WriteOp::EnterRun { run, ticket, updates } => {
            enter(connection, writer_state, run, *ticket)?;
            updates::record_of_run(connection, run.key, updates)?;
        }
        WriteOp::ForCommand { ticket, op } => {
            connection.prepare_cached("UPDATE inbox SET carried = 1 WHERE id = ?1")?.execute([*ticket])?;
            write(connection, writer_state, op)?;
        }
        WriteOp::Remap { run, skeleton, remap } => {
            let skeleton = skeleton_id(connection, writer_state, skeleton)?;
            connection.prepare_cached("UPDATE runs SET skeleton = ?2 WHERE key = ?1")?.execute([*run, skeleton])?;
            let seq = next_seq(&mut writer_state.next_seq, connection, *run)?;
            insert(connection, *run, seq, &RecordRow::of_remap(remap))?;
        }
        WriteOp::AddInputs { run, settings, updates } => {
            let update = "UPDATE runs SET settings = ?2 WHERE key = ?1";
            connection.prepare_cached(update)?.execute(params![run, settings::of_run(settings)])?;
            updates::record_of_run(connection, *run, updates)?;
        }
        WriteOp::Commit(batch) => commit_batch(connection, writer_state, batch)?,
        WriteOp::BeginRun(start) => {
            begin(connection, writer_state, start)?;
            updates::record_of_run(connection, start.run, &start.updates)?;
        }
        WriteOp::Set(set) => settings::set(connection, &set.name, set.value.as_ref(), set.at)?,
        WriteOp::Update(update) => writer_state.events.push(CommitEvent::Updated(updates::insert(connection, update)?)),
        WriteOp::BlockRun { run, reason } => {
            let update = "UPDATE runs SET blocked = ?2 WHERE key = ?1 AND state IN ('queued', 'running')";
            connection.prepare_cached(update)?.execute(params![run, reason.as_deref()])?;
        }
        WriteOp::Act(act) => acts::write(connection, act)?,
        WriteOp::Pause { pipeline, paused } => {
            let change = if *paused {
                "INSERT OR IGNORE INTO paused (pipeline) VALUES (?1)"
            } else {
                "DELETE FROM paused WHERE pipeline = ?1"
            };
            connection.prepare_cached(change)?.execute([pipeline])?;
        }
        WriteOp::Answer { ticket, answer, done, act_text } => store_answer(connection, *ticket, answer, *done, act_text)?,
        WriteOp::Logs | WriteOp::Prune { .. } | WriteOp::Sync(_) | WriteOp::Close => {}
    }
    Ok(())
}

fn commit_batch(connection: &Connection, writer_state: &mut WriterState, batch: &Batch) -> rusqlite::Result<()> {
    for (run, entry) in &batch.records {
        let seq = if is_of_callback(&entry.record) && !writer_state.next_seq.contains_key(run) {
            // It may come after the end of its run, which must not be remembered again.
            last_seq(connection, *run)? + 1
        } else {
            next_seq(&mut writer_state.next_seq, connection, *run)?
        };
        append(connection, &mut writer_state.counts, *run, seq, entry)?;
        if let (Record::RunEnded { state }, true) = (&entry.record, batch.ended.is_empty()) {
            writer_state.counts.run(ended_without_engine(connection, *run, *state)?);
        }
    }
    for (pipeline, kind, state) in &batch.ended {
        let pipeline = writer_state.pipelines.entry(pipeline).or_insert_with(|| (*pipeline).into());
        writer_state.counts.run((Arc::clone(pipeline), *kind, *state));
    }
    for update in &batch.updates {
        writer_state.events.push(CommitEvent::Updated(updates::insert(connection, update)?));
    }
    writer_state.events.extend(batch.passed.iter().cloned().map(CommitEvent::Passed));
    Ok(())
}

fn store_answer(connection: &Connection, ticket: Ticket, answer: &str, done: bool, act_text: &str) -> rusqlite::Result<()> {
    if let Some(act) = acts::of_command(connection, ticket, done, act_text)? {
        acts::write(connection, &act)?;
    }
    // Answers that nobody has fetched.
    let unfetched = "DELETE FROM inbox WHERE answer IS NOT NULL AND id < ?1 - 100";
    connection.prepare_cached(unfetched)?.execute([ticket])?;
    let update = "UPDATE inbox SET answer = ?2, carried = 1 WHERE id = ?1";
    connection.prepare_cached(update)?.execute(params![ticket, answer])?;
    Ok(())
}

fn next_seq(next_seqs: &mut HashMap<RunKey, i64>, connection: &Connection, run: RunKey) -> rusqlite::Result<i64> {
    let next = match next_seqs.get(&run) {
        Some(next) => *next,
        None => last_seq(connection, run)? + 1,
    };
    next_seqs.insert(run, next + 1);
    Ok(next)
}

pub(super) fn last_seq(connection: &Connection, run: RunKey) -> rusqlite::Result<i64> {
    let mut last = connection.prepare_cached("SELECT max(seq) FROM records WHERE run = ?1")?;
    Ok(last.query_row([run], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0))
}

/// Runs of one plan share its skeleton.
fn skeleton_id(connection: &Connection, writer_state: &mut WriterState, text: &str) -> rusqlite::Result<i64> {
    let hash = Fnv1a::of(text.as_bytes()).cast_signed();
    let select = "SELECT id FROM skeletons WHERE hash = ?1 AND text = ?2";
    let stored = connection.prepare_cached(select)?.query_row(params![hash, text], |row| row.get(0));
    let id = if let Some(id) = stored.optional()? {
        id
    } else {
        connection.prepare_cached("INSERT INTO skeletons (text, hash) VALUES (?1, ?2)")?.execute(params![text, hash])?;
        connection.last_insert_rowid()
    };
    if let Some(in_use) = &mut writer_state.plans {
        in_use.insert(id);
    }
    Ok(id)
}

/// An id that is taken concerns only this run. Ids are chosen so that none is taken (`host/prepare.rs`). If one is, the run is
/// stored under an id of its own, so that the commit's other records are not lost.
fn enter(
    connection: &Connection,
    writer_state: &mut WriterState,
    run: &StoredRun,
    ticket: Option<Ticket>,
) -> rusqlite::Result<()> {
    let skeleton = skeleton_id(connection, writer_state, &run.skeleton)?;
    let nanos = |date: chrono::DateTime<chrono::Utc>| crate::time::Timestamp::from(date).as_nanos();
    let insert = "INSERT INTO runs (key, run_id, pipeline, kind, interval_start, interval_end, previous_start, previous_end, \
                  params, state, created, sla_from, seed, skeleton, max_active, ticket, previous_began, settings) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let add = |run_id: &str| {
        connection.prepare_cached(insert)?.execute(params![
            run.key,
            run_id,
            run.pipeline,
            run.kind.name(),
            nanos(run.interval.start),
            nanos(run.interval.end),
            run.previous.map(|previous| nanos(previous.interval.start)),
            run.previous.map(|previous| nanos(previous.interval.end)),
            run.params.to_string(),
            run.state.name(),
            run.created.as_nanos(),
            run.sla_from.as_nanos(),
            run.seed.cast_signed(),
            skeleton,
            run.max_active,
            ticket,
            run.previous.and_then(|previous| previous.began).map(nanos),
            settings::of_run(&run.settings),
        ])
    };
    match add(&run.run_id) {
        // SQLite rolls back only that statement.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            let run_id = format!("{}__{}", run.run_id, run.key);
            tracing::error!(
                "the journal has a run {} of `{}` already; the new one is stored as {run_id}",
                run.run_id,
                run.pipeline
            );
            add(&run_id).map(drop)
        }
        added => added.map(drop),
    }
}

fn begin(connection: &Connection, writer_state: &mut WriterState, start: &RunStart) -> rusqlite::Result<()> {
    let skeleton = skeleton_id(connection, writer_state, &start.skeleton)?;
    let nanos = |date: chrono::DateTime<chrono::Utc>| Timestamp::from(date).as_nanos();
    let update = "UPDATE runs SET state = 'running', begun = ?2, sla_from = ?2, previous_start = ?3, previous_end = ?4, \
                  skeleton = ?5, previous_began = ?6, settings = ?7, blocked = NULL WHERE key = ?1";
    connection.prepare_cached(update)?.execute(params![
        start.run,
        start.at.as_nanos(),
        start.previous.map(|previous| nanos(previous.interval.start)),
        start.previous.map(|previous| nanos(previous.interval.end)),
        skeleton,
        start.previous.and_then(|previous| previous.began).map(nanos),
        settings::of_run(&start.settings),
    ])?;
    Ok(())
}

fn insert(connection: &Connection, run: RunKey, seq: i64, row: &RecordRow) -> rusqlite::Result<()> {
    let insert =
        "INSERT INTO records (run, seq, at, kind, slot, number, time, text, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![run, seq, row.at, row.kind, row.slot, row.number, row.time, row.text, row.body];
    connection.prepare_cached(insert)?.execute(values).map(drop)
}

/// Returns the tally entry for the end of a run that no engine hosts: it was cancelled while it waited, or by a program without
/// its plan.
fn ended_without_engine(connection: &Connection, run: RunKey, state: RunState) -> rusqlite::Result<tally::EndedRun> {
    let mut select = connection.prepare_cached("SELECT pipeline, kind FROM runs WHERE key = ?1")?;
    let (pipeline, kind): (String, String) =
        select.query_row([run], |row| Ok((row.get(0)?, row.get(1)?))).optional()?.unwrap_or_default();
    Ok((pipeline.into(), RunKind::parse(&kind).unwrap_or(RunKind::Manual), state))
}

fn append(connection: &Connection, counts: &mut Counts, run: RunKey, seq: i64, entry: &Entry) -> rusqlite::Result<()> {
    let row = RecordRow::of(entry);
    counts.record(&row);
    insert(connection, run, seq, &row)?;
    match &entry.record {
        Record::RunEnded { state } => {
            // A run that was queued until then has taken no time: it never began.
            let update = "UPDATE runs SET state = ?2, finished = ?3, blocked = NULL, \
                          begun = CASE WHEN state = 'queued' THEN ?3 ELSE begun END WHERE key = ?1";
            connection.prepare_cached(update)?.execute(params![run, state.name(), row.at])?;
        }
        Record::Cleared { .. } => {
            connection.prepare_cached("UPDATE runs SET state = 'running', finished = NULL WHERE key = ?1")?.execute([run])?;
        }
        Record::CallbackDue { id, .. } => {
            connection.prepare_cached("INSERT INTO due (run, id) VALUES (?1, ?2)")?.execute(params![run, id])?;
        }
        Record::CallbackTold { id } | Record::CallbackFailed { id, next: None, .. } => {
            connection.prepare_cached("DELETE FROM due WHERE run = ?1 AND id = ?2")?.execute(params![run, id])?;
        }
        _ => {}
    }
    Ok(())
}

fn is_of_callback(record: &Record) -> bool {
    matches!(record, Record::CallbackDue { .. } | Record::CallbackTold { .. } | Record::CallbackFailed { .. })
}
