//! Runs hosted by a process: the engine with the runtimes it runs on, what asks for a run, and the signals that end it.
//!
//! There are three runtimes. Bodies and notifiers run on the workers, one thread a core. Timers and signals run on a runtime of
//! their own, on the thread that calls [`EngineHost::drive_until`]: a body that never yields can hog its worker, but holds neither
//! another node's time limit up nor Ctrl-C. (`tests/cli/interrupt.rs`) What begins runs and does what others ask for ([`Dispatch`]) has a
//! thread and a runtime too, since it reads the journal and waits for the disk, which may take seconds.
//!
//! A process that is to end drains first, and cuts off only what is left then.

mod backfill;
mod clocks;
mod command;
mod dispatch;
mod embedded;
mod error;
#[cfg(any(feature = "cli", feature = "dashboard"))]
mod forecast;
mod next_run;
mod others;
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

pub(crate) use backfill::{Backfill, Reprocess};
use clocks::clocks;
#[cfg(feature = "dashboard")]
pub(crate) use command::ask_all;
pub(crate) use command::{Answer, Command, ask, said_of, said_of_given_up};
pub(crate) use dispatch::{Dispatch, Service, Tally, pause};
pub use embedded::{AttemptLogs, Host, HostBuilder, HostError, RunRef, Shutdown};
pub use error::StartError;
#[cfg(feature = "dashboard")]
pub(crate) use forecast::ForecastError;
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use forecast::{Forecast, Supposed};
pub(crate) use next_run::NextRun;
pub(crate) use prepare::{Edited, Prepared};
pub(crate) use request::{Ask, Request};
pub(crate) use settings::set;
pub(crate) use signals::{EndedBy, Signal, outlive_file_limit};
pub(crate) use unfinished::{SetAside, Unfinished};
pub(crate) use updates::KnownAssets;
#[cfg(feature = "airflow")]
pub(crate) use workers::workers;

use crate::Pipeline;
use crate::engine::{Edit, Engine, EngineOptions, Journal, Observe, Run, RunIx, RunState};
use crate::journal::{JournalError, NoJournal, SqliteJournal, StoredRun};
use crate::observe::logs;
use crate::plan::Accepts;
use crate::time::{Calendar, Clock, Present};
use signals::Interrupts;
use std::convert::Infallible;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long the end of a process waits for callbacks, in real time.
pub(crate) const CALLBACKS_LIMIT: Duration = Duration::from_secs(30);

/// An engine with what it needs to run.
#[derive(Debug)]
pub(crate) struct EngineHost {
    engine: Engine,
    /// None only while it is dropped.
    workers: Option<Runtime>,
    timers: Runtime,
    dispatch: Runtime,
    threads: usize,
    calendar: Calendar,
    /// None where runs end with their process.
    journal: Option<Arc<SqliteJournal>>,
    interrupts: Mutex<Interrupts>,
}

#[derive(Debug)]
pub(crate) struct HostOptions {
    /// Where runs are kept; none for runs that need not outlive the process.
    pub(crate) journal: Option<Arc<SqliteJournal>>,
    /// The slots of `default_pool`.
    pub(crate) parallelism: u32,
    /// What runs go by.
    pub(crate) clock: Clock,
    /// What schedules go by.
    pub(crate) calendar: Calendar,
    pub(crate) observer: Arc<dyn Observe>,
    /// Who may want the runs to end before they have ended by themselves.
    pub(crate) ended_by: EndedBy,
}

/// A journal, and the clocks of the process that resumes its runs.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Option<Arc<SqliteJournal>>,
    pub(crate) clock: Clock,
    pub(crate) calendar: Calendar,
}

/// How the runs of a process came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// They all did, and whoever was to be told was, or could not be in time.
    All,
    /// Somebody wanted the process to end before, and attempts were cut off.
    Interrupted(Signal),
    /// Somebody wanted the process to end, and what was under way came to its end before it did.
    Drained(Signal),
    /// What happened could not be kept any more, so nothing more was done.
    Stopped,
}

impl EngineHost {
    pub(crate) fn new(options: HostOptions) -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        workers::have_descriptors()?;
        let interrupts = Mutex::new(options.ended_by.listen()?);
        let timers = Builder::new_current_thread().enable_all().build()?;
        let dispatch = Builder::new_current_thread().enable_all().build()?;
        let keeper = options.journal.as_ref().map(|journal| logs::Keeper::new(journal, options.clock));
        let workers = workers::start(threads, keeper)?;
        let HostOptions { journal, parallelism, clock, calendar, observer, ended_by: _ } = options;
        let kept: Box<dyn Journal> = match &journal {
            Some(journal) => Box::new(Arc::clone(journal)),
            None => Box::new(NoJournal),
        };
        // Debug runs find a value that JSON changes where it is made, not after a crash.
        let check_outputs = cfg!(debug_assertions);
        let engine = Engine::new(kept, EngineOptions { clock, parallelism, check_outputs, observer: Some(observer) }, None);
        engine.run_on(workers.handle().clone());
        engine.look_again_by(crate::storage::look_again);
        if let Some(journal) = &journal {
            journal.attach(&engine);
        }
        Ok(Self { engine, workers: Some(workers), timers, dispatch, threads, calendar, journal, interrupts })
    }

    /// Opens a journal, and sets the clocks by what it has. Without a file nothing is kept.
    pub(crate) fn open(journal: Option<&Path>, speed: u32) -> Result<Opened, StartError> {
        let journal = journal.map(SqliteJournal::open).transpose()?.map(Arc::new);
        let newest = journal.as_ref().map(|journal| journal.reader()?.newest()).transpose()?;
        let (clock, calendar) = clocks(newest.flatten(), speed)?;
        Ok(Opened { journal, clock, calendar })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The present, by both clocks.
    fn now(&self) -> Present {
        Present { clock: self.engine.clock().now(), date: self.calendar.now() }
    }

    /// What becomes of a request, before anything of it has begun: a new run, or one that is gone on with.
    pub(crate) fn prepare(&self, request: Request) -> Result<Prepared, StartError> {
        let now = self.now();
        match &self.journal {
            Some(journal) => request.prepare(&journal.reader()?, now),
            None => Ok(Prepared::New(request.into_spec(now)?, None)),
        }
    }

    /// Begins a run, or resumes it.
    pub(crate) fn start(&self, prepared: Prepared) -> Result<RunIx, StartError> {
        match (prepared, &self.journal) {
            (Prepared::Queued(queued), journal) => {
                let prepare::Queued { spec, begun, edit, .. } = *queued;
                let at = begun.at;
                if let Some(journal) = journal {
                    journal.begin(begun);
                }
                let Some(edit) = edit else { return Ok(self.engine.start(spec)) };
                self.carries_next();
                let run_id = spec.info.run_id.clone();
                let done = self.engine.resume_edited(Run::new(spec, at), &[], &edit);
                done.map_err(|reason| StartError::Edit { run_id, reason: reason.to_string() })
            }
            (Prepared::New(mut spec, Some(stored)), Some(journal)) => {
                spec.key = journal.enter(&stored, &spec.info.updates);
                Ok(self.engine.start(spec))
            }
            (Prepared::New(spec, _), _) => Ok(self.engine.start(spec)),
            (Prepared::Resumed(resumed), journal) => {
                let (key, info) = (resumed.run.spec().key, Arc::clone(&resumed.run.spec().info));
                if let (Some((skeleton, remap)), Some(journal)) = (resumed.remap, journal) {
                    journal.remap(key, &skeleton, remap);
                }
                let goes_on = !resumed.run.state().is_end() || resumed.edit.is_some();
                if let (true, Some(journal)) = (resumed.takes_more && goes_on, journal) {
                    journal.takes(key, &info.settings, &info.updates);
                }
                if let (true, Some(journal)) = (resumed.was_blocked, journal) {
                    journal.block(key, None);
                }
                let Some(edit) = &resumed.edit else { return Ok(self.engine.resume(resumed.run, &resumed.entries)) };
                self.carries_next();
                let run_id = resumed.run.spec().info.run_id.clone();
                let done = self.engine.resume_edited(resumed.run, &resumed.entries, edit);
                done.map_err(|reason| StartError::Edit { run_id, reason: reason.to_string() })
            }
        }
    }

    /// What this thread submits next is what a command does, if it carries one out. The engine submits an edit in one piece.
    fn carries_next(&self) {
        if let Some(journal) = &self.journal {
            journal.carries_next();
        }
    }

    /// All unfinished runs that a filter lets through, and those that have not told everybody.
    pub(crate) fn unfinished(
        &self,
        pipelines: &[Pipeline],
        accepts: Accepts,
        wanted: impl Fn(&StoredRun) -> bool,
    ) -> Result<Unfinished, StartError> {
        let Some(journal) = &self.journal else { return Ok(Unfinished::default()) };
        let unfinished = unfinished::unfinished(&journal.reader()?, pipelines, accepts, wanted)?;
        for aside in &unfinished.aside {
            journal.block(aside.key, Some(&aside.reason.kept()));
        }
        Ok(unfinished)
    }

    /// A run that is kept, as an edit leaves it. What is done without its plan is ordered when this returns.
    pub(crate) fn edited(&self, pipelines: &[Pipeline], run_id: &str, edit: Edit) -> Result<Edited, StartError> {
        let Some(journal) = &self.journal else { return Err(StartError::NoRun { run_id: run_id.to_owned() }) };
        let now = self.engine.clock().now();
        let edited = prepare::edited(&journal.reader_after_all()?, pipelines, run_id, edit, now)?;
        match &edited {
            Edited::Prepared(_) => {}
            Edited::CancelledAsItIs(run) => {
                journal.carries_next();
                journal.end(run.key, RunState::Cancelled, now);
            }
            Edited::GivenUp(run, due) => {
                journal.carries_next();
                journal.give_up(run.key, due, now);
            }
        }
        Ok(edited)
    }

    /// What is said of an edit that this process has carried out on a run that it has.
    pub(crate) fn said_of(&self, edit: &Edit, run: RunIx, run_id: &str, pipeline: &str) -> String {
        let has_ended = self.engine.look(run, |run| run.state().is_end()).unwrap_or(true);
        match edit {
            Edit::Cancel if !has_ended => format!("run {run_id} of {pipeline} is being cancelled: its teardowns still run"),
            edit => said_of(edit, run_id, pipeline),
        }
    }

    /// Keeps that somebody started this process to do that, and that it was done.
    pub(crate) fn asked(&self, command: &Command, said: &str) {
        if let Some(journal) = &self.journal {
            journal.act(command.act(said));
        }
    }

    /// Why nothing can be kept any more, if so.
    pub(crate) fn failure(&self) -> Option<Arc<JournalError>> {
        self.journal.as_ref()?.failure()
    }

    /// What this process has written, if it keeps anything.
    #[cfg(all(feature = "cli", feature = "dashboard"))]
    pub(crate) fn tally(&self) -> Option<Arc<crate::journal::Tally>> {
        self.journal.as_ref().map(|journal| journal.tally())
    }

    /// Runs something beside the runs, until the host ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(workers) = &self.workers {
            workers.spawn(work);
        }
    }

    /// Runs what is to be run until `work` is done. To be called once.
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
    /// Bodies that block are left behind: a process that ends does not wait for them.
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
