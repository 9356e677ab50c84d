use super::JournalError;
use super::acts::{self, Act};
use super::inbox::Ticket;
use super::logs::{self, Backlog, LogLine};
use super::prune::{InUse, Pass};
use super::queue::{End, Queue, Taken};
use super::rows::RecordRow;
use super::settings;
use super::stage::{self, Stage};
use super::tally::{self, Counts, Tally};
use super::updates::{self, NewUpdate, News, Passed};
use crate::author::context::RunUpdate;
use crate::author::previous::Previous;
use crate::author::setting::SettingValues;
use crate::engine::{Engine, Entry, Record, RunState, Todo, WeakEngine};
use crate::journal::{RunKey, StoredRun};
use crate::plan::Remap;
use crate::schedule::RunKind;
use crate::time::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Instant;
use tokio::sync::oneshot;

/// An order to the writer.
#[derive(Debug)]
pub(super) enum Order {
    Enter {
        run: Box<StoredRun>,
        /// The command that made the run.
        ticket: Option<Ticket>,
        /// The updates of assets that started the run, or that it reads.
        updates: Box<[RunUpdate]>,
    },
    /// The effect of a command. A commit has both it and the note that the command was carried out, or neither.
    Carries {
        ticket: Ticket,
        order: Box<Self>,
    },
    /// A run is resumed with another plan: the slots in its earlier records are translated at this point.
    Remap {
        run: RunKey,
        skeleton: Box<str>,
        remap: Remap,
    },
    /// A run is resumed with code that takes settings or reads assets that it began without. It has these from here on.
    Takes {
        run: RunKey,
        settings: SettingValues,
        updates: Box<[RunUpdate]>,
    },
    Commit(Batch),
    /// Log lines are in the backlog.
    Logs,
    /// A waiting run begins.
    Begin(Box<Begun>),
    /// This process cannot resume a run, with the reason; or it can again.
    Block {
        run: RunKey,
        reason: Option<Box<str>>,
    },
    /// Somebody asked something of this process itself.
    Act(Box<Act>),
    /// A pipeline's schedule is paused or resumed.
    Pause {
        pipeline: Box<str>,
        paused: bool,
    },
    /// An asset is updated from outside.
    Update(Box<NewUpdate>),
    /// A setting is set.
    Set(Box<Set>),
    /// A command's answer.
    Answer {
        ticket: Ticket,
        answer: Box<str>,
        /// What is stored of it as an act.
        done: bool,
        said: Box<str>,
    },
    /// The next step of a pass over old runs. It is done separately, once the other orders of the commit are durable and their
    /// actions have been carried out.
    Prune {
        pass: Box<Pass>,
        done: oneshot::Sender<Box<Pass>>,
    },
    /// Reports when everything before it is committed.
    Sync(mpsc::SyncSender<()>),
    Close,
}

/// A setting's new value, or its default if there is none.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) value: Option<serde_json::Value>,
    pub(super) at: Timestamp,
}

/// What is known of a run once it begins.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    pub(crate) run: RunKey,
    pub(crate) at: Timestamp,
    pub(crate) previous: Option<Previous>,
    pub(crate) skeleton: Arc<str>,
    /// The updates of assets that it reads.
    pub(crate) updates: Box<[RunUpdate]>,
    /// The settings that it begins with.
    pub(crate) settings: SettingValues,
}

impl Order {
    /// Returns roughly how much memory the order takes while it is queued: the texts and outputs that make it large.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Carries { order, .. } => return order.bytes(),
            Self::Enter { run, updates, .. } => {
                let of_run = size_of::<StoredRun>() + run.run_id.len() + run.pipeline.len() + json_bytes(&run.params);
                of_run + size_of_val(&**updates)
            }
            Self::Remap { skeleton, .. } => 2 * skeleton.len(),
            Self::Takes { settings, updates, .. } => settings.values().map(json_bytes).sum::<usize>() + size_of_val(&**updates),
            Self::Commit(batch) => batch.bytes(),
            Self::Begin(_) => size_of::<Begun>(),
            Self::Block { reason, .. } => reason.as_ref().map_or(0, |reason| reason.len()),
            Self::Act(act) => act.bytes(),
            Self::Pause { pipeline, .. } => pipeline.len(),
            Self::Update(update) => update.bytes(),
            Self::Set(set) => set.name.len() + set.value.as_ref().map_or(0, json_bytes),
            Self::Answer { answer, said, .. } => answer.len() + said.len(),
            Self::Prune { .. } => size_of::<Pass>(),
            Self::Logs | Self::Sync(_) | Self::Close => 0,
        };
        (size_of::<Self>() + bytes) as u64
    }

    /// True if nobody waits for the order by itself.
    fn is_not_awaited(&self) -> bool {
        matches!(self, Self::Logs | Self::Enter { .. } | Self::Begin(_) | Self::Remap { .. } | Self::Takes { .. })
    }

    /// Returns the runs that end with it, about which the writer no longer has to remember anything.
    fn ended(&self) -> impl Iterator<Item = RunKey> {
        let records = match self {
            Self::Commit(batch) => batch.records.as_slice(),
            Self::Carries { order, .. } => match &**order {
                Self::Commit(batch) => batch.records.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        records.iter().filter(|(_, entry)| matches!(entry.record, Record::RunEnded { .. })).map(|(run, _)| *run)
    }
}

/// Records, and the actions that follow once they are durable.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Vec<(RunKey, Entry)>,
    /// The updates of assets that follow from the records.
    pub(super) updates: Vec<NewUpdate>,
    /// What the records mean for later runs.
    pub(super) passed: Vec<Passed>,
    /// The runs that end by them, if the engine hosts these: their pipelines, kinds and states.
    pub(super) ended: Vec<(&'static str, RunKind, RunState)>,
    pub(super) todo: Todo,
}

impl Batch {
    /// Records without a node's success.
    pub(super) fn of(records: Vec<(RunKey, Entry)>) -> Self {
        Self { records, updates: Vec::new(), passed: Vec::new(), ended: Vec::new(), todo: Todo::default() }
    }

    fn bytes(&self) -> usize {
        let of_entry = |(_, entry): &(RunKey, Entry)| size_of::<(RunKey, Entry)>() + entry.record.payload();
        self.records.iter().map(of_entry).sum::<usize>()
            + self.updates.iter().map(NewUpdate::bytes).sum::<usize>()
            + self.todo.bytes()
    }
}

/// Returns the size of a value's texts, at all depths.
fn json_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(json_bytes).sum(),
            Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + json_bytes(value)).sum(),
            _ => 0,
        }
}

/// What the writer remembers.
#[derive(Debug, Default)]
struct Known {
    /// The sequence number of each run's next record.
    next_seq: HashMap<RunKey, i64>,
    plans: InUse,
    /// The news of the present commit.
    news: Vec<News>,
    /// The counts since the last commit.
    counts: Counts,
    /// The names of pipelines.
    pipelines: HashMap<&'static str, Arc<str>>,
}

/// The receiver of news once they are durable.
pub(super) type NewsSender = Arc<OnceLock<tokio::sync::mpsc::UnboundedSender<News>>>;

/// Owns the connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    committed: Arc<OnceLock<WeakEngine>>,
    failure: Arc<OnceLock<Arc<JournalError>>>,
    known: Known,
    backlog: Arc<Backlog>,
    log_sizes: logs::Sizes,
    news_sender: NewsSender,
    tally: Arc<Tally>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        path: &Path,
        backlog: Arc<Backlog>,
        committed: Arc<OnceLock<WeakEngine>>,
        failure: Arc<OnceLock<Arc<JournalError>>>,
    ) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        let log_sizes = logs::Sizes::default();
        let (known, news_sender) = (Known::default(), NewsSender::default());
        Self {
            connection,
            path: path.to_owned(),
            committed,
            failure,
            known,
            backlog,
            log_sizes,
            news_sender,
            tally: Arc::default(),
        }
    }

    /// Sends news to `news_sender`.
    pub(super) fn telling(self, news_sender: NewsSender) -> Self {
        Self { news_sender, ..self }
    }

    /// Adds the counts of what is written to `tally`.
    pub(super) fn counting(self, tally: Arc<Tally>) -> Self {
        Self { tally, ..self }
    }

    /// Commits queued orders, as many as one transaction may have, until the queue ends or a commit fails. A panic ends the
    /// writer too, so it stops the engine like an error: otherwise actions would wait for the writer for ever.
    pub(super) fn run(mut self, queue: &Queue) {
        let ending =
            Ending { path: self.path.clone(), committed: Arc::clone(&self.committed), failure: Arc::clone(&self.failure) };
        let wrote = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.write(queue)));
        // From here on callers of submit learn the reason from `failure`, so it is set before the queue is closed.
        match wrote {
            Ok(Ok(())) => {}
            Ok(Err(error)) => ending.fail(error),
            Err(panic) => ending.fail(JournalError::writer_panicked(&ending.path, &*panic)),
        }
        queue.close();
    }

    fn write(&mut self, queue: &Queue) -> Result<(), JournalError> {
        while let Some(mut taken) = queue.take() {
            // Usually it does not linger: group commits come from what arrives while the last one is written. The exception is
            // orders that nobody waits for: log lines, and a run's beginning, which its first records follow.
            if taken.orders.iter().all(Order::is_not_awaited) {
                queue.take_more(&mut taken, logs::LINGER);
            }
            // Taken after the orders, so that a body's lines are stored with its end.
            let lines = self.backlog.take();
            let closes = taken.orders.iter().position(|order| matches!(order, Order::Close));
            if let Some(close) = closes {
                taken.orders.truncate(close);
            }
            self.commit(&taken.orders, lines).map_err(|error| JournalError::write(&self.path, &error))?;
            self.carry_out(&mut taken).map_err(|error| JournalError::write(&self.path, &error))?;
            queue.kept(&taken);
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
    fn carry_out(&mut self, taken: &mut Taken) -> rusqlite::Result<()> {
        let (mut todo, mut passes, mut waiting) = (Todo::default(), Vec::new(), Vec::new());
        for order in taken.orders.drain(..) {
            let order = match order {
                Order::Carries { order, .. } => *order,
                order => order,
            };
            match order {
                Order::Commit(batch) => todo.append(batch.todo),
                Order::Prune { pass, done } => passes.push((pass, done)),
                Order::Sync(done) => waiting.push(done),
                _ => {}
            }
        }
        if let Some(engine) = self.engine()
            && !todo.is_empty()
        {
            engine.committed(todo);
        }
        for news in self.known.news.drain(..) {
            if let Some(news_sender) = self.news_sender.get() {
                // The receiver may be gone.
                let _ = news_sender.send(news);
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
        let plans = &mut self.known.plans;
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
        self.committed.get()?.upgrade()
    }

    fn commit(&mut self, orders: &[Order], lines: Vec<LogLine>) -> rusqlite::Result<()> {
        let writes = |order: &Order| match order {
            Order::Commit(batch) => !batch.records.is_empty(),
            Order::Logs | Order::Prune { .. } | Order::Sync(_) | Order::Close => false,
            _ => true,
        };
        match (orders.iter().any(writes), lines.is_empty()) {
            (true, _) => self.commit_synced(orders, lines),
            (false, false) => self.commit_logs(lines),
            (false, true) => Ok(()),
        }
    }

    /// Log lines alone do not wait for the disk: the next commit of records makes them durable, and only a power failure before
    /// it loses them.
    fn commit_logs(&mut self, lines: Vec<LogLine>) -> rusqlite::Result<()> {
        let of_lines = runs_of(&lines);
        self.known.counts.lines += lines.len() as u64;
        without_sync(&self.connection, || {
            let transaction = transaction(&self.connection, &mut warn_of_wait(&self.path))?;
            self.log_sizes.write(&transaction, lines)?;
            transaction.commit()
        })??;
        self.tally.add(&mut self.known.counts, None);
        self.forget(of_lines);
        Ok(())
    }

    fn commit_synced(&mut self, orders: &[Order], lines: Vec<LogLine>) -> rusqlite::Result<()> {
        let begun = Instant::now();
        let of_lines = runs_of(&lines);
        self.known.counts.lines += lines.len() as u64;
        let transaction = transaction(&self.connection, &mut warn_of_wait(&self.path))?;
        stage::reach(Stage::Begun);
        for order in orders {
            write(&transaction, &mut self.known, order)?;
        }
        self.log_sizes.write(&transaction, lines)?;
        stage::reach(Stage::Written);
        transaction.commit()?;
        stage::reach(Stage::Kept);
        self.tally.add(&mut self.known.counts, Some(begun.elapsed()));
        for run in orders.iter().flat_map(Order::ended) {
            self.known.next_seq.remove(&run);
            self.log_sizes.forget(run);
        }
        self.forget(of_lines);
        Ok(())
    }

    /// Forgets how much was logged by runs that are not under way: a body that was cut off may log after its run's end.
    fn forget(&mut self, runs: HashSet<RunKey>) {
        for run in runs {
            if !self.known.next_seq.contains_key(&run) {
                self.log_sizes.forget(run);
            }
        }
    }
}

fn runs_of(lines: &[LogLine]) -> HashSet<RunKey> {
    lines.iter().map(|line| line.run).collect()
}

fn is_of_callback(record: &Record) -> bool {
    matches!(record, Record::CallbackDue { .. } | Record::CallbackTold { .. } | Record::CallbackFailed { .. })
}

/// The parts that the end of a failed writer needs, which may have panicked anywhere.
struct Ending {
    path: PathBuf,
    committed: Arc<OnceLock<WeakEngine>>,
    failure: Arc<OnceLock<Arc<JournalError>>>,
}

impl Ending {
    fn fail(&self, error: JournalError) {
        // The first failure is the one to report.
        let _ = self.failure.set(Arc::new(error));
        if let Some(engine) = self.committed.get().and_then(WeakEngine::upgrade) {
            engine.stop();
        }
    }
}

/// Begins a transaction that may write at once (`BEGIN IMMEDIATE`), because other processes write to the inbox: a transaction
/// that has read before one of them wrote could not be upgraded. If another connection holds the right to write, the journal
/// waits for it, however long it takes: nothing is wrong with the file, and nothing is lost meanwhile. `on_busy` is called each
/// time that `SQLite` gives up.
pub(super) fn transaction<'c>(connection: &'c Connection, on_busy: &mut dyn FnMut()) -> rusqlite::Result<Transaction<'c>> {
    loop {
        match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => on_busy(),
            result => return result,
        }
    }
}

/// Does work whose commits do not wait for the disk. The outer error means that the connection could not return to waiting for
/// it, and must not write any more.
pub(super) fn without_sync<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<rusqlite::Result<T>> {
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let done = work();
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(done)
}

/// Warns once that another program prevents the journal from being written.
fn warn_of_wait(path: &Path) -> impl FnMut() {
    let (path, mut is_said) = (path.to_owned(), false);
    move || {
        if !std::mem::replace(&mut is_said, true) {
            tracing::warn!("the journal {path:?} is locked by another program; runs continue once it can be written again");
        }
    }
}

/// Writes one order.
fn write(connection: &Connection, known: &mut Known, order: &Order) -> rusqlite::Result<()> {
    match order {
        Order::Enter { run, ticket, updates } => {
            enter(connection, known, run, *ticket)?;
            updates::note(connection, run.key, updates)?;
        }
        Order::Carries { ticket, order } => {
            connection.prepare_cached("UPDATE inbox SET carried = 1 WHERE id = ?1")?.execute([*ticket])?;
            write(connection, known, order)?;
        }
        Order::Remap { run, skeleton, remap } => {
            let skeleton = skeleton_id(connection, known, skeleton)?;
            connection.prepare_cached("UPDATE runs SET skeleton = ?2 WHERE key = ?1")?.execute([*run, skeleton])?;
            let seq = next_seq(&mut known.next_seq, connection, *run)?;
            insert(connection, *run, seq, &RecordRow::of_remap(remap))?;
        }
        Order::Takes { run, settings, updates } => {
            let update = "UPDATE runs SET settings = ?2 WHERE key = ?1";
            connection.prepare_cached(update)?.execute(params![run, settings::of_run(settings)])?;
            updates::note(connection, *run, updates)?;
        }
        Order::Commit(batch) => commit_batch(connection, known, batch)?,
        Order::Begin(begun) => {
            begin(connection, known, begun)?;
            updates::note(connection, begun.run, &begun.updates)?;
        }
        Order::Set(set) => settings::set(connection, &set.name, set.value.as_ref(), set.at)?,
        Order::Update(update) => known.news.push(News::Updated(updates::insert(connection, update)?)),
        Order::Block { run, reason } => {
            let update = "UPDATE runs SET blocked = ?2 WHERE key = ?1 AND state IN ('queued', 'running')";
            connection.prepare_cached(update)?.execute(params![run, reason.as_deref()])?;
        }
        Order::Act(act) => acts::write(connection, act)?,
        Order::Pause { pipeline, paused } => {
            let change = if *paused {
                "INSERT OR IGNORE INTO paused (pipeline) VALUES (?1)"
            } else {
                "DELETE FROM paused WHERE pipeline = ?1"
            };
            connection.prepare_cached(change)?.execute([pipeline])?;
        }
        Order::Answer { ticket, answer, done, said } => store_answer(connection, *ticket, answer, *done, said)?,
        Order::Logs | Order::Prune { .. } | Order::Sync(_) | Order::Close => {}
    }
    Ok(())
}

fn commit_batch(connection: &Connection, known: &mut Known, batch: &Batch) -> rusqlite::Result<()> {
    for (run, entry) in &batch.records {
        let seq = if is_of_callback(&entry.record) && !known.next_seq.contains_key(run) {
            // It may come after the end of its run, which must not be remembered again.
            last_seq(connection, *run)? + 1
        } else {
            next_seq(&mut known.next_seq, connection, *run)?
        };
        append(connection, &mut known.counts, *run, seq, entry)?;
        if let (Record::RunEnded { state }, true) = (&entry.record, batch.ended.is_empty()) {
            known.counts.run(ended_without_engine(connection, *run, *state)?);
        }
    }
    for (pipeline, kind, state) in &batch.ended {
        let pipeline = known.pipelines.entry(pipeline).or_insert_with(|| (*pipeline).into());
        known.counts.run((Arc::clone(pipeline), *kind, *state));
    }
    for update in &batch.updates {
        known.news.push(News::Updated(updates::insert(connection, update)?));
    }
    known.news.extend(batch.passed.iter().cloned().map(News::Passed));
    Ok(())
}

fn store_answer(connection: &Connection, ticket: Ticket, answer: &str, done: bool, said: &str) -> rusqlite::Result<()> {
    if let Some(act) = acts::of_command(connection, ticket, done, said)? {
        acts::write(connection, &act)?;
    }
    // Answers that nobody has fetched.
    let unfetched = "DELETE FROM inbox WHERE answer IS NOT NULL AND id < ?1 - 100";
    connection.prepare_cached(unfetched)?.execute([ticket])?;
    let update = "UPDATE inbox SET answer = ?2, carried = 1 WHERE id = ?1";
    connection.prepare_cached(update)?.execute(params![ticket, answer])?;
    Ok(())
}

fn next_seq(known: &mut HashMap<RunKey, i64>, connection: &Connection, run: RunKey) -> rusqlite::Result<i64> {
    let next = match known.get(&run) {
        Some(next) => *next,
        None => last_seq(connection, run)? + 1,
    };
    known.insert(run, next + 1);
    Ok(next)
}

fn last_seq(connection: &Connection, run: RunKey) -> rusqlite::Result<i64> {
    let mut last = connection.prepare_cached("SELECT max(seq) FROM records WHERE run = ?1")?;
    Ok(last.query_row([run], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0))
}

/// Runs of one plan share its skeleton.
fn skeleton_id(connection: &Connection, known: &mut Known, text: &str) -> rusqlite::Result<i64> {
    let stored = connection.prepare_cached("SELECT id FROM skeletons WHERE text = ?1")?.query_row([text], |row| row.get(0));
    let id = if let Some(id) = stored.optional()? {
        id
    } else {
        connection.prepare_cached("INSERT INTO skeletons (text) VALUES (?1)")?.execute([text])?;
        connection.last_insert_rowid()
    };
    if let Some(in_use) = &mut known.plans {
        in_use.insert(id);
    }
    Ok(id)
}

/// An id that is taken concerns only this run. Ids are chosen so that none is taken (`host/prepare.rs`). If one is, the run is
/// stored under an id of its own, so that the commit's other records are not lost.
fn enter(connection: &Connection, known: &mut Known, run: &StoredRun, ticket: Option<Ticket>) -> rusqlite::Result<()> {
    let skeleton = skeleton_id(connection, known, &run.skeleton)?;
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

fn begin(connection: &Connection, known: &mut Known, begun: &Begun) -> rusqlite::Result<()> {
    let skeleton = skeleton_id(connection, known, &begun.skeleton)?;
    let nanos = |date: chrono::DateTime<chrono::Utc>| Timestamp::from(date).as_nanos();
    let update = "UPDATE runs SET state = 'running', begun = ?2, sla_from = ?2, previous_start = ?3, previous_end = ?4, \
                  skeleton = ?5, previous_began = ?6, settings = ?7, blocked = NULL WHERE key = ?1";
    connection.prepare_cached(update)?.execute(params![
        begun.run,
        begun.at.as_nanos(),
        begun.previous.map(|previous| nanos(previous.interval.start)),
        begun.previous.map(|previous| nanos(previous.interval.end)),
        skeleton,
        begun.previous.and_then(|previous| previous.began).map(nanos),
        settings::of_run(&begun.settings),
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
fn ended_without_engine(connection: &Connection, run: RunKey, state: RunState) -> rusqlite::Result<tally::Ended> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::RunState;
    use crate::journal::sqlite::schema;
    use crate::schedule::Interval;

    fn journal() -> (tempfile::TempDir, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let writer = Writer::new(schema::open(&path).unwrap(), &path, Arc::default(), Arc::default(), Arc::default());
        (folder, writer)
    }

    fn records(run: RunKey, records: impl IntoIterator<Item = Record>) -> Order {
        let records = records.into_iter().map(|record| (run, Entry { at: Timestamp::default(), record })).collect();
        Order::Commit(Batch::of(records))
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
        let orders = [1, 2].map(|key| Order::Enter { run: Box::new(stored(key)), ticket: None, updates: Box::default() });
        let orders: Vec<Order> = orders.into_iter().chain([records(1, [Record::Started { slot: 0, attempt: 1 }])]).collect();
        writer.commit(&orders, Vec::new()).unwrap();
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
        assert_eq!((writer.known.next_seq.len(), writer.log_sizes.len()), (1, 1));
        writer.commit(&[records(1, [Record::RunEnded { state: RunState::Success }])], Vec::new()).unwrap();
        writer
            .commit(&[records(1, [Record::CallbackTold { id: 0 }]), records(1, [Record::CallbackTold { id: 1 }])], vec![line()])
            .unwrap();
        writer.commit(&[Order::Logs], vec![line()]).unwrap();
        assert_eq!((writer.known.next_seq.len(), writer.log_sizes.len()), (0, 0));
        assert_eq!(last_seq(&writer.connection, 1).unwrap(), 4);
        // It is retried.
        writer.commit(&[records(1, [Record::Cleared { slots: [0].into() }])], vec![line()]).unwrap();
        assert_eq!((writer.known.next_seq.len(), writer.log_sizes.len()), (1, 1));
        assert_eq!(last_seq(&writer.connection, 1).unwrap(), 5);
    }

    #[test]
    fn a_full_disk_is_called_so_and_what_was_committed_before_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = schema::open(&path).unwrap();
        // SQLite's own limit gives the same error as a full disk.
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
        let mut writer = Writer::new(connection, &path, Arc::default(), Arc::default(), Arc::default());
        let commit = |slot, bytes: usize| {
            let record = Record::Failed { slot, error: "x".repeat(bytes).into(), timed_out: false };
            let records = vec![(1, Entry { at: Timestamp::default(), record })];
            [Order::Commit(Batch::of(records))]
        };
        writer.commit(&commit(0, 10), Vec::new()).unwrap();
        let error = writer.commit(&commit(1, 100_000), Vec::new()).unwrap_err();
        drop(writer);
        let said = JournalError::write(&path, &error).to_string();
        assert!(said.contains("cannot be written: the disk is full. The engine stops; what was committed is kept"), "{said}");
        let kept: i64 = schema::open(&path).unwrap().query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }
}
