//! Hosting of runs in a process: the engine, the runtimes that it runs on, the loop that starts runs, and the signals that end
//! it.
//!
//! | file or folder | its one subject |
//! |---|---|
//! | `request.rs`, `prepare.rs` | a request for a run, resolved against the journal: to a new run, or to one that is resumed |
//! | `unfinished.rs` | the unfinished runs of a journal, and which of them this program can resume |
//! | `settings.rs`, `updates.rs` | the settings and the updates of assets that a run starts with |
//! | `backfill.rs` | the intervals of a backfill |
//! | `command.rs`, `preview.rs` | commands, how they reach the holder of the journal, and what they would do |
//! | `scheduler` | decides which runs start |
//! | `dispatch` | the loop that starts runs, handles their ends, and carries out commands |
//! | `next_run.rs`, `forecast` | what a schedule will start |
//! | `other_runs.rs` | runs of other pipelines, for the bodies that read, await or start them |
//! | `embedded` | a host inside another program |
//! | `workers.rs`, `clocks.rs`, `signals.rs`, `supervisor.rs` | the process: its threads, clocks and signals, and the supervisor that watches it |
//! | `error.rs` | why a run could not be started |
//! | `local_time.rs` | times in texts for people |
//!
//! # Runtimes
//!
//! There are three runtimes, beside that of the thread that receives signals. Bodies and notifiers run on the workers, one thread per core. Timers and signals have their own
//! runtime on the thread that calls [`EngineHost::drive_until`]: a body that never yields can hog its worker, but it delays
//! neither another node's time limit nor Ctrl-C (`tests/cli/interrupt.rs`). The loop that starts runs and carries out commands
//! ([`Dispatch`]) has its own thread and runtime, since it reads the journal and waits for the disk, which may take seconds.
//!
//! A process that is asked to stop drains first, and then cuts off only the attempts that are left.

mod backfill;
mod clocks;
mod command;
mod dispatch;
mod embedded;
mod error;
#[cfg(any(feature = "cli", feature = "dashboard"))]
mod forecast;
mod local_time;
mod next_run;
mod other_runs;
mod prepare;
mod preview;
mod request;
mod scheduler;
mod settings;
mod signals;
mod supervisor;
mod unfinished;
mod updates;
mod workers;

#[cfg(feature = "cli")]
pub(crate) use backfill::SpanError;
pub(crate) use backfill::{Backfill, Reprocess};
use clocks::clocks;
#[cfg(feature = "dashboard")]
pub(crate) use command::ask_all;
pub(crate) use command::{Answer, Command, ask, edit_answer, given_up_answer};
pub(crate) use dispatch::{Dispatch, ServiceOptions, Tally, pause};
pub use embedded::{AttemptLogs, Host, HostBuilder, HostError, RunRef, Shutdown};
pub use error::StartError;
#[cfg(feature = "dashboard")]
pub(crate) use forecast::ForecastError;
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use forecast::{Forecast, ForecastAssumptions};
pub(crate) use next_run::NextRun;
#[cfg(feature = "measure")]
pub(crate) use prepare::ResumedRun;
pub(crate) use prepare::{EditResult, PreparedRun};
pub(crate) use request::{Request, RequestMode};
pub(crate) use settings::set;
pub(crate) use signals::{Signal, StopSource, outlive_file_limit};
pub(crate) use unfinished::{BlockedRun, UnfinishedRuns};
pub(crate) use updates::AssetCatalog;
#[cfg(feature = "airflow")]
pub(crate) use workers::workers;

use crate::Pipeline;
use crate::engine::{Edit, Engine, EngineOptions, Journal, Observe, Run, RunIx, RunState};
use crate::journal::{JournalError, NoJournal, SqliteJournal, StoredRun};
use crate::observe::logs;
use crate::plan::Accepts;
use crate::time::{Calendar, Clock, Present};
use signals::SignalReceiver;
use std::convert::Infallible;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long the end of a process waits for callbacks, in real time.
pub(crate) const CALLBACKS_LIMIT: Duration = Duration::from_secs(30);

/// An engine with everything it needs to run.
#[derive(Debug)]
pub(crate) struct EngineHost {
    engine: Engine,
    /// `None` only while the host is dropped.
    workers: Option<Runtime>,
    timers: Runtime,
    dispatch: Runtime,
    threads: usize,
    calendar: Calendar,
    /// `None` if runs end with their process.
    journal: Option<Arc<SqliteJournal>>,
    signals: Mutex<SignalReceiver>,
}

#[derive(Debug)]
pub(crate) struct HostOptions {
    /// Where runs are recorded; `None` for runs that need not outlive the process.
    pub(crate) journal: Option<Arc<SqliteJournal>>,
    /// The slots of `default_pool`.
    pub(crate) parallelism: u32,
    /// The clock of the runs.
    pub(crate) clock: Clock,
    /// The calendar of the schedules.
    pub(crate) calendar: Calendar,
    pub(crate) observer: Arc<dyn Observe>,
    /// What may end the process before its runs have ended.
    pub(crate) stop_source: StopSource,
}

/// A journal, and the clocks of the process that resumes its runs.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Option<Arc<SqliteJournal>>,
    pub(crate) clock: Clock,
    pub(crate) calendar: Calendar,
}

/// How the runs of a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    /// All runs ended, and their notifications were delivered or timed out.
    All,
    /// The process was asked to stop before, and attempts were cut off.
    Interrupted(Signal),
    /// The process was asked to stop, and all running attempts finished before it did.
    Drained(Signal),
    /// Events could no longer be recorded, so nothing more was done.
    Stopped,
}

impl EngineHost {
    pub(crate) fn new(options: HostOptions) -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        workers::have_descriptors()?;
        let signals = Mutex::new(options.stop_source.listen()?);
        let timers = Builder::new_current_thread().enable_all().build()?;
        let dispatch = Builder::new_current_thread().enable_all().build()?;
        let keeper = options.journal.as_ref().map(|journal| logs::AttemptLog::new(journal, options.clock));
        let workers = workers::start(threads, keeper)?;
        let HostOptions { journal, parallelism, clock, calendar, observer, stop_source: _ } = options;
        let engine_journal: Box<dyn Journal> = match &journal {
            Some(journal) => Box::new(Arc::clone(journal)),
            None => Box::new(NoJournal),
        };
        // Debug builds detect a value that JSON changes when it is produced, and not after a crash.
        let check_outputs = cfg!(debug_assertions);
        let engine =
            Engine::new(engine_journal, EngineOptions { clock, parallelism, check_outputs, observer: Some(observer) }, None);
        engine.run_on(workers.handle().clone());
        engine.look_again_by(crate::storage::look_again);
        if let Some(journal) = &journal {
            journal.attach(&engine);
        }
        Ok(Self { engine, workers: Some(workers), timers, dispatch, threads, calendar, journal, signals })
    }

    /// Opens a journal, and sets the clocks from its newest time. Without a file nothing is recorded.
    pub(crate) fn open(journal: Option<&Path>, speed: u32) -> Result<Opened, StartError> {
        let journal = journal.map(SqliteJournal::open).transpose()?.map(Arc::new);
        let newest = journal.as_ref().map(|journal| journal.reader()?.newest()).transpose()?;
        let (clock, calendar) = clocks(newest.flatten(), speed)?;
        Ok(Opened { journal, clock, calendar })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the current time by both clocks.
    fn now(&self) -> Present {
        Present { clock: self.engine.clock().now(), date: self.calendar.now() }
    }

    /// Resolves a request before anything starts: to a new run, or to an existing one that is resumed.
    pub(crate) fn prepare(&self, request: Request) -> Result<PreparedRun, StartError> {
        let now = self.now();
        match &self.journal {
            Some(journal) => request.prepare(&journal.reader()?, now),
            None => Ok(PreparedRun::New(request.into_spec(now)?, None)),
        }
    }

    /// Starts or resumes a run.
    pub(crate) fn start(&self, prepared: PreparedRun) -> Result<RunIx, StartError> {
        match (prepared, &self.journal) {
            (PreparedRun::Queued(queued), journal) => {
                let prepare::QueuedRun { spec, begun, edit, .. } = *queued;
                let at = begun.at;
                if let Some(journal) = journal {
                    journal.begin(begun);
                }
                let Some(edit) = edit else { return Ok(self.engine.start(spec)) };
                self.next_is_effect();
                let run_id = spec.info.run_id.clone();
                let done = self.engine.resume_edited(Run::new(spec, at), &[], &edit);
                done.map_err(|reason| StartError::Edit { run_id, reason: reason.to_string() })
            }
            (PreparedRun::New(mut spec, Some(stored)), Some(journal)) => {
                spec.key = journal.enter(&stored, &spec.info.updates);
                Ok(self.engine.start(spec))
            }
            (PreparedRun::New(spec, _), _) => Ok(self.engine.start(spec)),
            (PreparedRun::Resumed(resumed), journal) => {
                let (key, info) = (resumed.run.spec().key, Arc::clone(&resumed.run.spec().info));
                if let (Some((skeleton, remap)), Some(journal)) = (resumed.remap, journal) {
                    journal.remap(key, &skeleton, remap);
                }
                let goes_on = !resumed.run.state().is_end() || resumed.edit.is_some();
                if let (true, Some(journal)) = (resumed.has_new_inputs && goes_on, journal) {
                    journal.add_inputs(key, &info.settings, &info.updates);
                }
                if let (true, Some(journal)) = (resumed.was_blocked, journal) {
                    journal.block(key, None);
                }
                let Some(edit) = &resumed.edit else { return Ok(self.engine.resume(resumed.run, &resumed.entries)) };
                self.next_is_effect();
                let run_id = resumed.run.spec().info.run_id.clone();
                let done = self.engine.resume_edited(resumed.run, &resumed.entries, edit);
                done.map_err(|reason| StartError::Edit { run_id, reason: reason.to_string() })
            }
        }
    }

    /// Marks the next submission of this thread as the effect of the command that it carries out, if any. The engine submits an
    /// edit in one piece.
    fn next_is_effect(&self) {
        if let Some(journal) = &self.journal {
            journal.next_is_effect();
        }
    }

    /// Returns the unfinished runs that pass the filter, and those with pending notifications.
    pub(crate) fn unfinished(
        &self,
        pipelines: &[Pipeline],
        accepts: Accepts,
        filter: impl Fn(&StoredRun) -> bool,
    ) -> Result<UnfinishedRuns, StartError> {
        let Some(journal) = &self.journal else { return Ok(UnfinishedRuns::default()) };
        let unfinished = unfinished::unfinished(&journal.reader()?, pipelines, accepts, filter)?;
        for run in &unfinished.blocked {
            journal.block(run.key, Some(&run.reason.stored_text()));
        }
        Ok(unfinished)
    }

    /// Prepares a run in the journal with an edit applied. Writes of edits that need no plan are queued when this returns.
    pub(crate) fn edited(&self, pipelines: &[Pipeline], run_id: &str, edit: Edit) -> Result<EditResult, StartError> {
        let Some(journal) = &self.journal else { return Err(StartError::NoRun { run_id: run_id.to_owned() }) };
        let now = self.engine.clock().now();
        let edited = prepare::edited(&journal.reader_after_sync()?, pipelines, run_id, edit, now)?;
        match &edited {
            EditResult::Prepared(_) => {}
            EditResult::CancelledAsItIs(run) => {
                journal.next_is_effect();
                journal.end(run.key, RunState::Cancelled, now);
            }
            EditResult::GivenUp(run, due) => {
                journal.next_is_effect();
                journal.give_up(run.key, due, now);
            }
        }
        Ok(edited)
    }

    /// Returns the answer for an edit that this process applied to one of its runs.
    pub(crate) fn edit_answer(&self, edit: &Edit, run: RunIx, run_id: &str, pipeline: &str) -> String {
        let has_ended = self.engine.look(run, |run| run.state().is_end()).unwrap_or(true);
        match edit {
            Edit::Cancel if !has_ended => format!("run {run_id} of {pipeline} is being cancelled: its teardowns still run"),
            edit => edit_answer(edit, run_id, pipeline),
        }
    }

    /// Records the command that started this process as an act, and that it was carried out.
    pub(crate) fn record_act(&self, command: &Command, answer: &str) {
        if let Some(journal) = &self.journal {
            journal.act(command.act(answer));
        }
    }

    /// Returns why nothing can be recorded any more, if so.
    pub(crate) fn failure(&self) -> Option<Arc<JournalError>> {
        self.journal.as_ref()?.failure()
    }

    /// Returns the tally of what this process has written, if it has a journal.
    #[cfg(all(feature = "cli", feature = "dashboard"))]
    pub(crate) fn tally(&self) -> Option<Arc<crate::journal::Tally>> {
        self.journal.as_ref().map(|journal| journal.tally())
    }

    /// Runs work beside the runs, until the host ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(workers) = &self.workers {
            workers.spawn(work);
        }
    }

    /// Drives the engine until `work` is done. Must be called once.
    fn drive_until<T>(&self, work: impl Future<Output = T>) -> T {
        self.timers.block_on(async {
            let drive = self.engine.drive(self.threads);
            tokio::select! {
                biased;
                done = work => done,
                never = drive => unreachable_by(never),
            }
        })
    }
}

impl Drop for EngineHost {
    /// Leaves blocked bodies behind: a process that ends does not wait for them.
    fn drop(&mut self) {
        self.engine.stop();
        if let Some(workers) = self.workers.take() {
            workers.shutdown_background();
        }
        if let Some(journal) = &self.journal {
            journal.close();
        }
    }
}

fn unreachable_by<T>(never: Infallible) -> T {
    match never {}
}
