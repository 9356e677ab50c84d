//! The durable journal: one `SQLite` file, one writer.
//!
//! Records are only ever appended. The state of a run, its attempts, its next poke, its outputs and its due callbacks all follow
//! from them. The `runs` table is an index of runs, kept up to date in the same transactions. One thread owns the connection that
//! writes. It takes everything that has been submitted so far into one transaction, so that a thousand concurrent runs share a
//! commit, and a single run pays only for its own. It lingers for more only if nobody waits for what it has: log lines, and
//! entries of runs. With `synchronous = FULL`, what is committed survives a power failure. Submitting never waits for the writer;
//! beginning a run does (`queue.rs`).
//!
//! # Why a run waits for the disk once to begin
//!
//! A run's entry waits for the run's first records, since nobody waits for the entry alone. A new journal is made beside its
//! final place, synced once and then renamed; before that the parent of its folder is synced, as the folder may be new as well
//! (`create.rs`). When a process ends it moves everything into the one file, which costs two more syncs: a file that depends on
//! its `-wal` would be incomplete when copied, moved or restored without it. (`tests/durable/kills.rs`)

mod acts;
mod apply;
mod backup;
mod connect;
mod create;
mod current_command;
#[cfg(feature = "dashboard")]
mod durations;
mod error;
mod file;
mod holder;
mod immutable;
mod inbox;
mod intervals;
mod lines;
mod listing;
mod lock;
mod logs;
mod open_files;
mod overview;
mod prune;
mod queue;
mod reader;
mod records;
#[cfg(test)]
mod recovery;
mod repair;
mod rows;
mod runs;
mod schema;
mod settings;
pub mod stage;
mod tally;
mod transaction;
mod updates;
mod wal;
mod write_op;
mod writer;

pub(crate) use acts::Act;
#[cfg(feature = "dashboard")]
pub(crate) use durations::{DurationCache, DurationQuery};
pub use error::JournalError;
pub(crate) use file::absolute;
pub use holder::Holder;
pub(crate) use inbox::{Inbox, PostedCommand, STALE, Ticket};
pub(crate) use intervals::{AwaitedRun, IntervalRun};
pub(crate) use lines::StoredLine;
pub(crate) use listing::Filter;
pub(crate) use logs::LogLine;
#[cfg(feature = "dashboard")]
pub(crate) use open_files::unwritable;
pub(crate) use prune::{Pass, Pruned};
pub(crate) use reader::{NewestTime, Reader};
pub(crate) use repair::Repaired;
pub(crate) use rows::{DecodeError, StoredEntry};
pub(crate) use settings::StoredSetting;
pub(crate) use tally::Tally;
pub(crate) use updates::{AssetUpdated, CommitEvent, NewUpdate, NodePassed, StoredUpdate};

use super::{RunKey, StoredRun};
use crate::author::context::RunUpdate;
use crate::author::setting::SettingValues;
use crate::engine::{Engine, Entry, Journal, Outbox, Record, RunIx, RunSpec, RunState, Submitted, WeakEngine};
use crate::plan::Remap;
use crate::time::Timestamp;
use current_command::CurrentCommand;
use lock::Lock;
use logs::Backlog;
use queue::Queue;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use tokio::sync::oneshot;
pub(crate) use write_op::RunStart;
use write_op::{Batch, SettingChange, WriteOp};
use writer::{EventSender, Writer};

/// The journal in one file.
#[derive(Debug)]
pub(crate) struct SqliteJournal {
    /// Absolute, because a body may change the process's working directory.
    path: PathBuf,
    queue: Arc<Queue>,
    backlog: Arc<Backlog>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    engine: Arc<OnceLock<WeakEngine>>,
    failure: Arc<OnceLock<Arc<JournalError>>>,
    next_key: Mutex<RunKey>,
    current_command: CurrentCommand,
    event_sender: EventSender,
    tally: Arc<Tally>,
    /// Held as long as this process may write: until the file is closed.
    lock: Mutex<Option<Lock>>,
}

impl SqliteJournal {
    /// True if a file belongs to the journal, under any name: writing it would destroy the journal.
    pub(crate) fn owns(journal: &Path, file: &Path) -> bool {
        file::is_of_journal(journal, file)
    }

    /// Opens the journal for this process alone, and creates it if it does not exist.
    pub(crate) fn open(named: &Path) -> Result<Self, JournalError> {
        let path = &file::resolve(named);
        create::folders(path)?;
        let lock = Lock::take(named)?;
        let connection = connect::open(path)?;
        let next_key = runs::next_key(&connection, path)?;
        let queue = Arc::new(Queue::default());
        let backlog = Arc::new(Backlog::default());
        let (engine, failure) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let writer = Writer::new(connection, path, Arc::clone(&backlog), Arc::clone(&engine), Arc::clone(&failure));
        let event_sender = EventSender::default();
        let tally = Arc::<Tally>::default();
        let writer = writer.reporting_to(Arc::clone(&event_sender)).counting_in(Arc::clone(&tally));
        let queued = Arc::clone(&queue);
        let writer = std::thread::Builder::new().name("pipeline-journal".into()).spawn(move || writer.run(&queued));
        let writer = writer.map_err(|error| JournalError::Thread { path: path.to_owned(), error })?;
        Ok(Self {
            path: file::absolute(path),
            queue,
            backlog,
            writer: Mutex::new(Some(writer)),
            engine,
            failure,
            next_key: Mutex::new(next_key),
            current_command: CurrentCommand::default(),
            event_sender,
            tally,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// Returns the counts of what this process has written.
    #[cfg(feature = "dashboard")]
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Sets the engine that is notified of commits. Nothing may be submitted before.
    pub(crate) fn attach(&self, engine: &Engine) {
        // A journal has one engine; a second attempt changes nothing.
        let _ = self.engine.set(engine.downgrade());
    }

    /// Enters a run. The entry is committed with the run's first records, before anything of it starts. Stores with it the
    /// updates of assets that started the run, which are thereby used up, and those that it reads.
    pub(crate) fn enter(&self, run: &StoredRun, updates: &[RunUpdate]) -> RunKey {
        self.enter_for(run, None, updates.into())
    }

    /// The same for a run that may be made by the command that this thread carries out: then the run has the command's number.
    pub(crate) fn enter_for_command(&self, run: &StoredRun) -> RunKey {
        self.enter_for(run, self.current_command.ticket(), Box::default())
    }

    fn enter_for(&self, run: &StoredRun, ticket: Option<Ticket>, updates: Box<[RunUpdate]>) -> RunKey {
        let key = {
            let mut next = self.next_key.lock().unwrap_or_else(PoisonError::into_inner);
            let key = *next;
            *next += 1;
            key
        };
        self.push(WriteOp::EnterRun { run: Box::new(StoredRun { key, ..run.clone() }), ticket, updates });
        key
    }

    /// Records that a run is resumed with another plan, in which its nodes have other slots.
    pub(crate) fn remap(&self, run: RunKey, skeleton: &str, remap: Remap) {
        self.push(WriteOp::Remap { run, skeleton: skeleton.into(), remap });
    }

    /// Records all settings and updates of assets of a resumed run whose pipeline now takes more of them.
    pub(crate) fn add_inputs(&self, run: RunKey, settings: &SettingValues, updates: &[RunUpdate]) {
        self.push(WriteOp::AddInputs { run, settings: settings.clone(), updates: updates.into() });
    }

    /// Stores a log line, after a while. The logging code never waits.
    pub(crate) fn log(&self, line: LogLine) {
        self.backlog.push(line, || self.queue.push(WriteOp::Logs));
    }

    /// Records that a waiting run begins.
    pub(crate) fn begin(&self, start: RunStart) {
        self.push(WriteOp::BeginRun(Box::new(start)));
    }

    /// Records why this process cannot resume a run, or that it can again.
    pub(crate) fn block(&self, run: RunKey, reason: Option<&str>) {
        self.push(WriteOp::BlockRun { run, reason: reason.map(Into::into) });
    }

    /// Records what somebody asked of this process when it was started.
    pub(crate) fn act(&self, act: Act) {
        self.push(WriteOp::Act(Box::new(act)));
    }

    /// Records the end of a run that no engine hosts.
    pub(crate) fn end(&self, run: RunKey, state: RunState, at: Timestamp) {
        self.record(run, at, Record::RunEnded { state });
    }

    /// Records an event of a run that no engine hosts.
    pub(crate) fn record(&self, run: RunKey, at: Timestamp, record: Record) {
        self.push(WriteOp::Commit(Batch::of(vec![(run, Entry { at, record })])));
    }

    /// Records that notifications of a run are given up.
    pub(crate) fn give_up(&self, run: RunKey, due: &[u32], at: Timestamp) {
        let error: Arc<str> = "given up: the run was cancelled by a program without its plan".into();
        let given_up =
            |id: &u32| (run, Entry { at, record: Record::CallbackFailed { id: *id, next: None, error: Arc::clone(&error) } });
        self.push(WriteOp::Commit(Batch::of(due.iter().map(given_up).collect())));
    }

    /// Records whether a pipeline's schedule is paused.
    pub(crate) fn pause(&self, pipeline: &str, paused: bool) {
        self.push(WriteOp::Pause { pipeline: pipeline.into(), paused });
    }

    /// Sets a setting, or resets it to its default if there is no value.
    pub(crate) fn set(&self, name: &str, value: Option<serde_json::Value>, at: Timestamp) {
        self.push(WriteOp::Set(Box::new(SettingChange { name: name.to_owned(), value, at })));
    }

    /// Stores an update of an asset from outside.
    pub(crate) fn update(&self, update: NewUpdate) {
        self.push(WriteOp::Update(Box::new(update)));
    }

    /// Returns a receiver of everything that is stored from now on and that others may wait for. To be called once; a second
    /// receiver gets nothing.
    pub(crate) fn commit_events(&self) -> tokio::sync::mpsc::UnboundedReceiver<CommitEvent> {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        let _ = self.event_sender.set(sender);
        receiver
    }

    /// This thread carries out a command, until it [answers](Self::answer).
    pub(crate) fn carry_out(&self, ticket: Ticket) {
        self.current_command.begin(ticket);
    }

    /// What this thread submits next is the effect of the command that it carries out, if it does: the two share one commit.
    pub(crate) fn next_is_effect(&self) {
        self.current_command.next_is_effect();
    }

    /// Returns the command that this thread carries out.
    pub(crate) fn carried_out(&self) -> Option<Ticket> {
        self.current_command.ticket()
    }

    /// Answers a command, once all its effects so far are durable, and stores it as an act with `done` and `said`.
    pub(crate) fn answer(&self, ticket: Ticket, answer: &str, done: bool, act_text: &str) {
        self.current_command.end();
        self.push(WriteOp::Answer { ticket, answer: answer.into(), done, act_text: act_text.into() });
    }

    /// The command that this thread carries out will be answered later, and others are carried out meanwhile.
    pub(crate) fn defer_answer(&self) {
        self.current_command.end();
    }

    /// Does the next step of a pass over old runs, and then returns the pass. The sender is dropped if the step failed or nothing
    /// can be written any more.
    pub(crate) fn prune_on(&self, pass: Box<Pass>) -> oneshot::Receiver<Box<Pass>> {
        let (done, wait) = oneshot::channel();
        self.push(WriteOp::Prune { pass, done });
        wait
    }

    /// Returns the commands that others left for this process.
    pub(crate) fn inbox(&self) -> Result<Inbox, JournalError> {
        Inbox::open(&self.path)
    }

    /// Returns once everything submitted so far is durable, and whether it is; if not, [`failure`](Self::failure) gives the
    /// reason.
    ///
    /// It reads nothing, so it also works if the file cannot be opened for reading, for example because the process has no
    /// descriptor left.
    pub(crate) fn sync(&self) -> bool {
        let (done, wait) = mpsc::sync_channel(1);
        self.push(WriteOp::Sync(done));
        // If the writer is gone, `failure` has the reason.
        let _ = wait.recv();
        self.failure.get().is_none()
    }

    /// Returns a reader of everything submitted so far.
    pub(crate) fn reader_after_sync(&self) -> Result<Reader, JournalError> {
        // What is durable can be read, even if nothing more can be written.
        self.sync();
        self.reader()
    }

    /// Returns a reader beside the writer.
    pub(crate) fn reader(&self) -> Result<Reader, JournalError> {
        Reader::beside(&self.path)
    }

    /// Stops the engine if the journal's file is no longer in its place: nobody would find what is stored there, and another
    /// process may begin another journal in its place.
    pub(crate) fn check_file(&self) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Err(error)) = lock.as_ref().map(Lock::check) else { return };
        drop(lock);
        // The first failure is the one to report.
        let _ = self.failure.set(Arc::new(error));
        if let Some(engine) = self.engine.get().and_then(WeakEngine::upgrade) {
            engine.stop();
        }
    }

    /// Returns why nothing can be written any more, if so.
    pub(crate) fn failure(&self) -> Option<Arc<JournalError>> {
        self.failure.get().cloned()
    }

    /// Waits until everything submitted is committed, closes the file, and releases the lock.
    pub(crate) fn close(&self) {
        // Taken out first: from here on `SQLite` itself may remove the `-wal`, and nobody is to take that for another program's work.
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.push(WriteOp::Close);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked leaves nothing to wait for.
            let _ = writer.join();
        }
        // Here, and not only with the last handle, which a blocking body that was left behind may hold.
        drop(lock);
    }

    fn push(&self, op: WriteOp) {
        let op = match self.current_command.take() {
            Some(ticket) => WriteOp::ForCommand { ticket, op: Box::new(op) },
            None => op,
        };
        // After the writer's end nothing can be stored: `failure` has the reason, and actions that wait are never carried out.
        let _ = self.queue.push(op);
    }

    /// True if less than 64 MiB wait to be written, so that another run may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    /// Returns once another run may begin.
    pub(crate) async fn room(&self) {
        self.queue.room().await;
    }

    /// Blocks the thread until another run may begin: for code that begins runs before the engine is driven.
    pub(crate) fn wait_for_room(&self) {
        self.queue.wait_for_room();
    }
}

impl Journal for Arc<SqliteJournal> {
    fn is_durable(&self) -> bool {
        true
    }

    fn submit<'a>(&mut self, outbox: &mut Outbox, spec: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Submitted {
        if outbox.records.is_empty() && outbox.todo.is_empty() {
            return Submitted::Stored;
        }
        let (mut updates, mut passed, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        let keyed = |(run, entry): (RunIx, Entry)| {
            let Some(spec) = spec(run) else { return (0, entry) };
            if !spec.plan.assets.updates.is_empty() {
                updates.extend(NewUpdate::of(spec, &entry));
            }
            if let Record::RunEnded { state } = entry.record {
                ended.push((spec.plan.pipeline, spec.info.kind, state));
            }
            if !spec.plan.across.is_empty() {
                passed.extend(NodePassed::of(spec, &entry));
            }
            (spec.key, entry)
        };
        let records: Vec<(RunKey, Entry)> = outbox.records.drain().map(keyed).collect();
        let todo = std::mem::take(&mut outbox.todo);
        self.push(WriteOp::Commit(Batch { records, updates, passed, ended, todo }));
        Submitted::Queued
    }

    fn entries_from(&self, _: RunIx, _: usize) -> Vec<Entry> {
        Vec::new()
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.close();
    }
}
