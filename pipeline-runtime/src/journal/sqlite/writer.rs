//! The thread that owns the connection which writes, and commits what is queued.
//!
//! `write_op` has what can be submitted, `apply` what each operation changes in the file.

use super::JournalError;
use super::apply::{WriterState, write};
use super::logs::{self, Backlog, LogLine};
use super::prune::Pass;
use super::queue::{CommitGroup, End, Queue};
use super::stage::{self, Stage};
use super::tally::Tally;
use super::transaction::{transaction, warn_of_wait, without_sync};
use super::updates::CommitEvent;
use super::write_op::WriteOp;
use crate::engine::{Engine, Todo, WeakEngine};
use crate::journal::RunKey;
use rusqlite::Connection;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Where the events of a commit go once they are durable.
pub(super) type EventSender = Arc<OnceLock<tokio::sync::mpsc::UnboundedSender<CommitEvent>>>;

/// Owns the connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    engine: Arc<OnceLock<WeakEngine>>,
    failure: Arc<OnceLock<Arc<JournalError>>>,
    state: WriterState,
    backlog: Arc<Backlog>,
    log_sizes: logs::LogSizes,
    event_sender: EventSender,
    tally: Arc<Tally>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        path: &Path,
        backlog: Arc<Backlog>,
        engine: Arc<OnceLock<WeakEngine>>,
        failure: Arc<OnceLock<Arc<JournalError>>>,
    ) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        let log_sizes = logs::LogSizes::default();
        let (state, event_sender) = (WriterState::default(), EventSender::default());
        Self {
            connection,
            path: path.to_owned(),
            engine,
            failure,
            state,
            backlog,
            log_sizes,
            event_sender,
            tally: Arc::default(),
        }
    }

    /// Sends the events of commits to `event_sender`.
    pub(super) fn reporting_to(self, event_sender: EventSender) -> Self {
        Self { event_sender, ..self }
    }

    /// Adds the counts of what is written to `tally`.
    pub(super) fn counting_in(self, tally: Arc<Tally>) -> Self {
        Self { tally, ..self }
    }

    /// Commits queued operations, as many as one transaction may have, until the queue ends or a commit fails. A panic ends the
    /// writer too, so it stops the engine like an error: otherwise actions would wait for the writer for ever.
    pub(super) fn run(mut self, queue: &Queue) {
        let reporter =
            FailureReporter { path: self.path.clone(), engine: Arc::clone(&self.engine), failure: Arc::clone(&self.failure) };
        let wrote = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.write(queue)));
        // From here on callers of submit learn the reason from `failure`, so it is set before the queue is closed.
        match wrote {
            Ok(Ok(())) => {}
            Ok(Err(error)) => reporter.fail(error),
            Err(panic) => reporter.fail(JournalError::writer_panicked(&reporter.path, &*panic)),
        }
        queue.close();
    }

    fn write(&mut self, queue: &Queue) -> Result<(), JournalError> {
        while let Some(mut group) = queue.take() {
            // Usually it does not linger: group commits come from what arrives while the last one is written. The exception is
            // operations that nobody waits for: log lines, and a run's beginning, which its first records follow.
            if group.ops.iter().all(WriteOp::is_not_awaited) {
                queue.take_more(&mut group, logs::LINGER);
            }
            // Taken after the operations, so that a body's lines are stored with its end.
            let lines = self.backlog.take();
            let closes = group.ops.iter().position(|op| matches!(op, WriteOp::Close));
            if let Some(close) = closes {
                group.ops.truncate(close);
            }
            self.commit(&group.ops, lines).map_err(|error| JournalError::write(&self.path, &error))?;
            self.carry_out(&mut group).map_err(|error| JournalError::write(&self.path, &error))?;
            queue.committed(&group);
            if closes.is_some() {
                return Ok(());
            }
        }
        match queue.end() {
            Some(End::Overrun) => Err(JournalError::overrun(&self.path)),
            _ => Ok(()),
        }
    }

    /// Carries out the actions of a commit first, then separate work; callers that wait for everything submitted are notified
    /// last.
    fn carry_out(&mut self, group: &mut CommitGroup) -> rusqlite::Result<()> {
        let (mut todo, mut passes, mut waiting) = (Todo::default(), Vec::new(), Vec::new());
        for op in group.ops.drain(..) {
            let op = match op {
                WriteOp::ForCommand { op, .. } => *op,
                op => op,
            };
            match op {
                WriteOp::Commit(batch) => todo.append(batch.todo),
                WriteOp::Prune { pass, done } => passes.push((pass, done)),
                WriteOp::Sync(done) => waiting.push(done),
                _ => {}
            }
        }
        if let Some(engine) = self.engine()
            && !todo.is_empty()
        {
            engine.committed(todo);
        }
        for event in self.state.events.drain(..) {
            if let Some(event_sender) = self.event_sender.get() {
                // The receiver may be gone.
                let _ = event_sender.send(event);
            }
        }
        for (pass, done) in passes {
            if let Some(pass) = self.prune(pass)? {
                // The caller may be gone.
                drop(done.send(pass));
            }
        }
        for done in waiting {
            // The caller may be gone.
            let _ = done.send(());
        }
        Ok(())
    }

    /// Does a step of a pass. Returns `None` if it failed: nothing is lost by that, and the next commit shows whether the journal
    /// can still be written. An error is returned if the connection could not return to waiting for the disk, which ends the
    /// writer.
    fn prune(&mut self, mut pass: Box<Pass>) -> rusqlite::Result<Option<Box<Pass>>> {
        let plans = &mut self.state.plans;
        let step = || pass.step(&self.connection, plans, &mut warn_of_wait(&self.path));
        Ok(match without_sync(&self.connection, step)? {
            Ok(()) => Some(pass),
            Err(error) => {
                tracing::error!("old runs could not be deleted: {}", JournalError::write(&self.path, &error));
                None
            }
        })
    }

    fn engine(&self) -> Option<Engine> {
        self.engine.get()?.upgrade()
    }

    fn commit(&mut self, ops: &[WriteOp], lines: Vec<LogLine>) -> rusqlite::Result<()> {
        let writes = |op: &WriteOp| match op {
            WriteOp::Commit(batch) => !batch.records.is_empty(),
            WriteOp::Logs | WriteOp::Prune { .. } | WriteOp::Sync(_) | WriteOp::Close => false,
            _ => true,
        };
        match (ops.iter().any(writes), lines.is_empty()) {
            (true, _) => self.commit_synced(ops, lines),
            (false, false) => self.commit_logs(lines),
            (false, true) => Ok(()),
        }
    }

    /// Log lines alone do not wait for the disk: the next commit of records makes them durable, and only a power failure before
    /// it loses them.
    fn commit_logs(&mut self, lines: Vec<LogLine>) -> rusqlite::Result<()> {
        let of_lines = runs_of(&lines);
        self.state.counts.lines += lines.len() as u64;
        without_sync(&self.connection, || {
            let transaction = transaction(&self.connection, &mut warn_of_wait(&self.path))?;
            self.log_sizes.write(&transaction, lines)?;
            transaction.commit()
        })??;
        self.tally.add(&mut self.state.counts, None);
        self.forget(of_lines);
        Ok(())
    }

    fn commit_synced(&mut self, ops: &[WriteOp], lines: Vec<LogLine>) -> rusqlite::Result<()> {
        let begun = Instant::now();
        let of_lines = runs_of(&lines);
        self.state.counts.lines += lines.len() as u64;
        let transaction = transaction(&self.connection, &mut warn_of_wait(&self.path))?;
        stage::reach(Stage::Begun);
        for op in ops {
            write(&transaction, &mut self.state, op)?;
        }
        self.log_sizes.write(&transaction, lines)?;
        stage::reach(Stage::Written);
        transaction.commit()?;
        stage::reach(Stage::Kept);
        self.tally.add(&mut self.state.counts, Some(begun.elapsed()));
        for run in ops.iter().flat_map(WriteOp::ended) {
            self.state.next_seq.remove(&run);
            self.log_sizes.forget(run);
        }
        self.forget(of_lines);
        Ok(())
    }

    /// Forgets how much was logged by runs that are not under way: a body that was cut off may log after its run's end.
    fn forget(&mut self, runs: HashSet<RunKey>) {
        for run in runs {
            if !self.state.next_seq.contains_key(&run) {
                self.log_sizes.forget(run);
            }
        }
    }
}

fn runs_of(lines: &[LogLine]) -> HashSet<RunKey> {
    lines.iter().map(|line| line.run).collect()
}

/// Reports that the writer failed. It has parts of its own, since the writer may have panicked anywhere.
struct FailureReporter {
    path: PathBuf,
    engine: Arc<OnceLock<WeakEngine>>,
    failure: Arc<OnceLock<Arc<JournalError>>>,
}

impl FailureReporter {
    fn fail(&self, error: JournalError) {
        // The first failure is the one to report.
        let _ = self.failure.set(Arc::new(error));
        if let Some(engine) = self.engine.get().and_then(WeakEngine::upgrade) {
            engine.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::setting::SettingValues;
    use crate::engine::{Entry, Record, RunState};
    use crate::journal::StoredRun;
    use crate::journal::sqlite::apply::last_seq;
    use crate::journal::sqlite::connect;
    use crate::journal::sqlite::write_op::Batch;
    use crate::schedule::Interval;
    use crate::time::Timestamp;

    fn journal() -> (tempfile::TempDir, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let writer = Writer::new(connect::open(&path).unwrap(), &path, Arc::default(), Arc::default(), Arc::default());
        (folder, writer)
    }

    fn records(run: RunKey, records: impl IntoIterator<Item = Record>) -> WriteOp {
        let records = records.into_iter().map(|record| (run, Entry { at: Timestamp::default(), record })).collect();
        WriteOp::Commit(Batch::of(records))
    }

    fn stored(key: RunKey) -> StoredRun {
        let date = Timestamp::default().to_utc();
        StoredRun {
            key,
            run_id: "manual__1".into(),
            pipeline: "nightly".into(),
            kind: crate::journal::RunKind::Manual,
            interval: Interval { start: date, end: date },
            previous: None,
            params: serde_json::Value::Null,
            state: RunState::Running,
            created: Timestamp::default(),
            sla_from: Timestamp::default(),
            finished: None,
            seed: 1,
            skeleton: "{}".into(),
            begun: None,
            max_active: None,
            blocked: None,
            settings: SettingValues::new(),
        }
    }

    #[test]
    fn an_id_that_is_taken_is_the_affair_of_its_run_alone() {
        let (_folder, mut writer) = journal();
        let ops = [1, 2].map(|key| WriteOp::EnterRun { run: Box::new(stored(key)), ticket: None, updates: Box::default() });
        let ops: Vec<WriteOp> = ops.into_iter().chain([records(1, [Record::Started { slot: 0, attempt: 1 }])]).collect();
        writer.commit(&ops, Vec::new()).unwrap();
        let mut ids = writer.connection.prepare("SELECT run_id FROM runs ORDER BY key").unwrap();
        let ids: Vec<String> = ids.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(ids, ["manual__1", "manual__1__2"]);
        assert_eq!(last_seq(&writer.connection, 1).unwrap(), 1);
    }

    #[test]
    fn a_journal_that_another_program_has_locked_is_waited_for() {
        let (folder, writer) = journal();
        writer.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(folder.path().join("journal.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut gave_up = 0;
        let mut on_busy = || {
            gave_up += 1;
            if gave_up == 3 {
                other.execute_batch("COMMIT").unwrap();
            }
        };
        drop(transaction(&writer.connection, &mut on_busy).unwrap());
        assert_eq!(gave_up, 3);
    }

    #[test]
    fn what_comes_after_the_end_of_a_run_is_kept_and_nothing_of_the_run_is_known_by_heart_for_it() {
        let (_folder, mut writer) = journal();
        let line = || LogLine {
            run: 1,
            node: "upload".into(),
            attempt: 1,
            at: Timestamp::default(),
            level: tracing::Level::INFO,
            text: "late".into(),
        };
        writer.commit(&[records(1, [Record::Started { slot: 0, attempt: 1 }])], vec![line()]).unwrap();
        assert_eq!((writer.state.next_seq.len(), writer.log_sizes.len()), (1, 1));
        writer.commit(&[records(1, [Record::RunEnded { state: RunState::Success }])], Vec::new()).unwrap();
        writer
            .commit(&[records(1, [Record::CallbackTold { id: 0 }]), records(1, [Record::CallbackTold { id: 1 }])], vec![line()])
            .unwrap();
        writer.commit(&[WriteOp::Logs], vec![line()]).unwrap();
        assert_eq!((writer.state.next_seq.len(), writer.log_sizes.len()), (0, 0));
        assert_eq!(last_seq(&writer.connection, 1).unwrap(), 4);
        // It is retried.
        writer.commit(&[records(1, [Record::Cleared { slots: [0].into() }])], vec![line()]).unwrap();
        assert_eq!((writer.state.next_seq.len(), writer.log_sizes.len()), (1, 1));
        assert_eq!(last_seq(&writer.connection, 1).unwrap(), 5);
    }

    #[test]
    fn a_full_disk_is_called_so_and_what_was_committed_before_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = connect::open(&path).unwrap();
        // SQLite's own limit gives the same error as a full disk.
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
        let mut writer = Writer::new(connection, &path, Arc::default(), Arc::default(), Arc::default());
        let commit = |slot, bytes: usize| {
            let record = Record::Failed { slot, error: "x".repeat(bytes).into(), timed_out: false };
            let records = vec![(1, Entry { at: Timestamp::default(), record })];
            [WriteOp::Commit(Batch::of(records))]
        };
        writer.commit(&commit(0, 10), Vec::new()).unwrap();
        let error = writer.commit(&commit(1, 100_000), Vec::new()).unwrap_err();
        drop(writer);
        let said = JournalError::write(&path, &error).to_string();
        assert!(said.contains("cannot be written: the disk is full. The engine stops; what was committed is kept"), "{said}");
        let kept: i64 = connect::open(&path).unwrap().query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }
}
