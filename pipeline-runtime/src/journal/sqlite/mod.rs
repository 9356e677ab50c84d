//! The durable journal: one `SQLite` file, one writer.
//!
//! Records are only ever appended; the state of a run, its attempts, its next poke, its outputs and the callbacks due are all
//! told from them. The `runs` table is an index over runs, kept in the same transactions. One thread owns the connection that
//! writes. It takes all that has been submitted by then into one transaction, so that a thousand concurrent runs share a commit and a
//! single run pays for its own alone. It waits for more only where nobody awaits what it has: log lines, and entries of runs. `synchronous = FULL`: what is committed survives a
//! power failure. Submitting never waits for the writer; whoever begins runs does (`queue.rs`).
//!
//! # Why a run waits for the disk once to begin
//!
//! A run's entry waits for the run's first records, since nobody awaits it alone. A new journal is made beside its place, synced once and then
//! put there; before that what its folder is in is synced, as the folder may be new as well (`create.rs`). As a process ends it brings everything
//! into the one file, which costs two syncs more: a file that needs its `-wal` to be whole would be copied, moved or restored without it.
//! (`tests/durable/kills.rs`)

mod acts;
mod backup;
mod claim;
mod create;
#[cfg(feature = "dashboard")]
mod durations;
mod error;
mod file;
mod holder;
mod inbox;
mod lock;
mod logs;
mod overview;
mod prune;
mod queue;
mod reader;
#[cfg(test)]
mod recovery;
mod repair;
mod rows;
mod schema;
mod settings;
pub mod stage;
mod still;
mod tally;
mod updates;
mod wal;
mod writer;

pub(crate) use acts::Act;
#[cfg(feature = "dashboard")]
pub(crate) use durations::{Asked, Past};
pub use error::JournalError;
pub(crate) use file::absolute;
pub use holder::Holder;
pub(crate) use inbox::{Mailbox, Posted, STALE, Ticket};
pub(crate) use logs::LogLine;
pub(crate) use prune::{Pass, Pruned};
pub(crate) use reader::{Filter, IntervalRun, Meant, Newest, Reader, StoredLine};
pub(crate) use repair::Repaired;
pub(crate) use rows::{DecodeError, StoredEntry};
pub(crate) use settings::StoredSetting;
pub(crate) use tally::Tally;
pub(crate) use updates::{NewUpdate, News, Passed, StoredUpdate, Updated};

use super::{RunKey, StoredRun};
use crate::author::context::RunUpdate;
use crate::author::setting::SettingValues;
use crate::engine::{Engine, Entry, Journal, Kept, Outbox, Record, RunIx, RunSpec, RunState, WeakEngine};
use crate::plan::Remap;
use crate::time::Timestamp;
use claim::Claim;
use lock::Lock;
use logs::Backlog;
use queue::Queue;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use tokio::sync::oneshot;
pub(crate) use writer::Begun;
use writer::{Batch, Hearer, Order, Set, Writer};

/// The journal in one file.
#[derive(Debug)]
pub(crate) struct SqliteJournal {
    /// From whichever folder: a body may change the process's own.
    path: PathBuf,
    queue: Arc<Queue>,
    backlog: Arc<Backlog>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    committed: Arc<OnceLock<WeakEngine>>,
    failure: Arc<OnceLock<Arc<JournalError>>>,
    next_key: Mutex<RunKey>,
    claim: Claim,
    hearer: Hearer,
    tally: Arc<Tally>,
    /// Held as long as this process may write: until the file is closed.
    lock: Mutex<Option<Lock>>,
}

impl SqliteJournal {
    /// Whether a file belongs to the journal, under whichever name: whoever writes it destroys the journal.
    pub(crate) fn owns(journal: &Path, file: &Path) -> bool {
        file::is_of_journal(journal, file)
    }

    /// Opens the journal for this process alone, making it if there is none.
    pub(crate) fn open(named: &Path) -> Result<Self, JournalError> {
        let path = &file::resolve(named);
        create::folders(path)?;
        let lock = Lock::take(named)?;
        let connection = schema::open(path)?;
        let next_key = schema::next_key(&connection, path)?;
        let queue = Arc::new(Queue::default());
        let backlog = Arc::new(Backlog::default());
        let (committed, failure) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let writer = Writer::new(connection, path, Arc::clone(&backlog), Arc::clone(&committed), Arc::clone(&failure));
        let hearer = Hearer::default();
        let tally = Arc::<Tally>::default();
        let writer = writer.telling(Arc::clone(&hearer)).counting(Arc::clone(&tally));
        let orders = Arc::clone(&queue);
        let writer = std::thread::Builder::new().name("pipeline-journal".into()).spawn(move || writer.run(&orders));
        let writer = writer.map_err(|error| JournalError::Thread { path: path.to_owned(), error })?;
        Ok(Self {
            path: file::absolute(path),
            queue,
            backlog,
            writer: Mutex::new(Some(writer)),
            committed,
            failure,
            next_key: Mutex::new(next_key),
            claim: Claim::default(),
            hearer,
            tally,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// What this process has written.
    #[cfg(feature = "dashboard")]
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Who is told of commits. Nothing may be submitted before.
    pub(crate) fn attach(&self, engine: &Engine) {
        // A journal has one engine; a second attempt changes nothing.
        let _ = self.committed.set(engine.downgrade());
    }

    /// Enters a run; committed with its first records, before anything of it starts. With it is kept which updates of assets it was begun by, which
    /// are used up by that, and which it reads.
    pub(crate) fn enter(&self, run: &StoredRun, updates: &[RunUpdate]) -> RunKey {
        self.enter_for(run, None, updates.into())
    }

    /// The same of a run that is made by the command that this thread carries out, if it does: the run has the command's number.
    pub(crate) fn enter_asked(&self, run: &StoredRun) -> RunKey {
        self.enter_for(run, self.claim.ticket(), Box::default())
    }

    fn enter_for(&self, run: &StoredRun, ticket: Option<Ticket>, updates: Box<[RunUpdate]>) -> RunKey {
        let key = {
            let mut next = self.next_key.lock().unwrap_or_else(PoisonError::into_inner);
            let key = *next;
            *next += 1;
            key
        };
        self.order(Order::Enter { run: Box::new(StoredRun { key, ..run.clone() }), ticket, updates });
        key
    }

    /// Notes that a run goes on with another plan, in which its nodes have other slots.
    pub(crate) fn remap(&self, run: RunKey, skeleton: &str, remap: Remap) {
        self.order(Order::Remap { run, skeleton: skeleton.into(), remap });
    }

    /// Notes all that a run that goes on has of settings and of updates of assets, as its pipeline has come to take more of them.
    pub(crate) fn takes(&self, run: RunKey, settings: &SettingValues, updates: &[RunUpdate]) {
        self.order(Order::Takes { run, settings: settings.clone(), updates: updates.into() });
    }

    /// Keeps a log line, in a while; whoever logs is never held up.
    pub(crate) fn log(&self, line: LogLine) {
        self.backlog.push(line, || self.queue.push(Order::Logs));
    }

    /// Notes that a run that waited begins.
    pub(crate) fn begin(&self, begun: Begun) {
        self.order(Order::Begin(Box::new(begun)));
    }

    /// Notes why this process cannot go on with a run, or that it can.
    pub(crate) fn block(&self, run: RunKey, reason: Option<&str>) {
        self.order(Order::Block { run, reason: reason.map(Into::into) });
    }

    /// Notes what somebody asked this process for as it was started.
    pub(crate) fn act(&self, act: Act) {
        self.order(Order::Act(Box::new(act)));
    }

    /// Notes the end of a run that no engine has.
    pub(crate) fn end(&self, run: RunKey, state: RunState, at: Timestamp) {
        let record = Record::RunEnded { state };
        self.order(Order::Commit(Batch::of(vec![(run, Entry { at, record })])));
    }

    /// Notes that notifications of a run are given up.
    pub(crate) fn give_up(&self, run: RunKey, due: &[u32], at: Timestamp) {
        let error: Arc<str> = "given up: the run was cancelled by a program without its plan".into();
        let given_up =
            |id: &u32| (run, Entry { at, record: Record::CallbackFailed { id: *id, next: None, error: Arc::clone(&error) } });
        self.order(Order::Commit(Batch::of(due.iter().map(given_up).collect())));
    }

    /// Notes whether a pipeline's schedule is paused.
    pub(crate) fn pause(&self, pipeline: &str, paused: bool) {
        self.order(Order::Pause { pipeline: pipeline.into(), paused });
    }

    /// Sets a setting, or without a value goes back to its default.
    pub(crate) fn set(&self, name: &str, value: Option<serde_json::Value>, at: Timestamp) {
        self.order(Order::Set(Box::new(Set { name: name.to_owned(), value, at })));
    }

    /// Keeps an update of an asset from outside.
    pub(crate) fn update(&self, update: NewUpdate) {
        self.order(Order::Update(Box::new(update)));
    }

    /// What is kept from now on and others may wait for. To be called once; a second hearer hears nothing.
    pub(crate) fn news(&self) -> tokio::sync::mpsc::UnboundedReceiver<News> {
        let (tell, hear) = tokio::sync::mpsc::unbounded_channel();
        let _ = self.hearer.set(tell);
        hear
    }

    /// This thread carries a command out, until it [answers](Self::answer).
    pub(crate) fn carry_out(&self, ticket: Ticket) {
        self.claim.begin(ticket);
    }

    /// What this thread submits next is what the command does that it carries out, if it does: both are one commit.
    pub(crate) fn carries_next(&self) {
        self.claim.carries_next();
    }

    /// The command that this thread carries out.
    pub(crate) fn carried_out(&self) -> Option<Ticket> {
        self.claim.ticket()
    }

    /// Answers a command, once all that it led to so far is kept, and keeps it as an act.
    /// `done` and `said` are what the act says of the answer.
    pub(crate) fn answer(&self, ticket: Ticket, answer: &str, done: bool, said: &str) {
        self.claim.end();
        self.order(Order::Answer { ticket, answer: answer.into(), done, said: said.into() });
    }

    /// The command that this thread carries out is answered later, and others are carried out meanwhile.
    pub(crate) fn put_off(&self) {
        self.claim.end();
    }

    /// Does the next step of a pass over old runs, and then gives it back. It is gone where the step failed, or nothing is written any more.
    pub(crate) fn prune_on(&self, pass: Box<Pass>) -> oneshot::Receiver<Box<Pass>> {
        let (done, wait) = oneshot::channel();
        self.order(Order::Prune { pass, done });
        wait
    }

    /// What others want of this process.
    pub(crate) fn mailbox(&self) -> Result<Mailbox, JournalError> {
        Mailbox::open(&self.path)
    }

    /// Returns once all that has been submitted by now is kept, and whether it is: else [`failure`](Self::failure) says why nothing is.
    ///
    /// It reads nothing, so a file that cannot be opened to read, as where a process has no descriptor left, changes nothing of it.
    pub(crate) fn sync(&self) -> bool {
        let (done, wait) = mpsc::sync_channel(1);
        self.order(Order::Sync(done));
        // Where the writer is gone, `failure` says so.
        let _ = wait.recv();
        self.failure.get().is_none()
    }

    /// Reads all that has been submitted by now.
    pub(crate) fn reader_after_all(&self) -> Result<Reader, JournalError> {
        // What was kept can be read, also where nothing more can be kept.
        self.sync();
        self.reader()
    }

    /// Reads beside the writer.
    pub(crate) fn reader(&self) -> Result<Reader, JournalError> {
        Reader::beside(&self.path)
    }

    /// Stops the engine where the journal's file is no longer where it was: nobody would ever find what is kept there, and somebody
    /// else may begin another journal in its place.
    pub(crate) fn look_after_file(&self) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Err(error)) = lock.as_ref().map(Lock::look) else { return };
        drop(lock);
        // The first failure is the one to report.
        let _ = self.failure.set(Arc::new(error));
        if let Some(engine) = self.committed.get().and_then(WeakEngine::upgrade) {
            engine.stop();
        }
    }

    /// Why nothing can be written any more, if so.
    pub(crate) fn failure(&self) -> Option<Arc<JournalError>> {
        self.failure.get().cloned()
    }

    /// Waits until all that was submitted is committed, closes the file, and lets others have it.
    pub(crate) fn close(&self) {
        self.order(Order::Close);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked has nothing left to wait for.
            let _ = writer.join();
        }
        // Not only with the last handle: a body that blocks and was left behind may have one.
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(lock);
    }

    fn order(&self, order: Order) {
        let order = match self.claim.take() {
            Some(ticket) => Order::Carries { ticket, order: Box::new(order) },
            None => order,
        };
        // Once the writer has ended nothing can be kept; `failure` says why, and the actions that wait are never carried out.
        let _ = self.queue.push(order);
    }

    /// Whether less than 64 MiB wait to be written, so that another run may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    /// Returns once another run may begin.
    pub(crate) async fn room(&self) {
        self.queue.room().await;
    }

    /// Blocks the thread until another run may begin: for whoever begins runs before the engine runs any.
    pub(crate) fn wait_for_room(&self) {
        self.queue.wait_for_room();
    }
}

impl Journal for Arc<SqliteJournal> {
    fn is_durable(&self) -> bool {
        true
    }

    fn submit<'a>(&mut self, outbox: &mut Outbox, spec: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Kept {
        if outbox.records.is_empty() && outbox.todo.is_empty() {
            return Kept::Now;
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
                passed.extend(Passed::of(spec, &entry));
            }
            (spec.key, entry)
        };
        let records: Vec<(RunKey, Entry)> = outbox.records.drain().map(keyed).collect();
        let todo = std::mem::take(&mut outbox.todo);
        self.order(Order::Commit(Batch { records, updates, passed, ended, todo }));
        Kept::Later
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
