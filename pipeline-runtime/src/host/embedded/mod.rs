//! A host that another program embeds: the engine on its own threads, with an async handle.
//!
//! One thread opens the journal, starts unfinished runs, and then drives timers, like the thread of
//! [`cli::Runner`](crate::cli::Runner). Calls reach the dispatch loop through a channel. So no part of the engine runs on the
//! program's runtime, and nothing there waits for the disk.

mod attempt_logs;
mod builder;
mod error;
mod thread;

pub use attempt_logs::AttemptLogs;
pub use builder::HostBuilder;
pub use error::HostError;

use super::command::Command;
use super::dispatch::Call;
use super::error::StartError;
use super::signals::Signal;
use crate::author::setting::SettingInput;
use crate::journal::Reader;
use crate::read::{JournalReader, ReadError, RunDetails};
use crate::{Asset, Data, Pipeline, Setting};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thread::EndResult;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// The engine inside another program, such as an axum service or a `#[tokio::test]`.
///
/// A host holds a journal, resumes the journal's unfinished runs, and runs what is requested; with
/// [`follow_schedules`](HostBuilder::follow_schedules) also scheduled runs. It is cheap to clone, and its methods may be awaited
/// on any runtime.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::{Host, RunState};
///
/// #[task]
/// async fn rows() -> Result<u64> {
///     Ok(3)
/// }
///
/// #[pipeline]
/// fn nightly() {
///     rows();
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let host = Host::builder([nightly()]).temporary_journal().start().await?;
/// let run = host.trigger("nightly", (), Some("2024-03-25")).await?;
/// let outcome = host.wait(&run).await?;
/// assert_eq!(outcome.state(), RunState::Success);
/// assert_eq!(outcome.node("rows").unwrap().output::<u64>()?, Some(3));
/// host.shutdown().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Effects on the program
///
/// - **Threads.** Bodies run on the host's own worker threads, one per core; timers, the journal and the dispatch loop have one
///   thread each. The program's threads never wait for any of them.
/// - **Signals.** It installs no signal handler. Call [`shutdown`](Self::shutdown) where the program handles its own.
/// - **Logs.** It installs no `tracing` subscriber. Add [`AttemptLogs`] to the program's own, and the journal stores what
///   attempts log.
/// - **Panics.** It installs a panic hook before the program's own: a panic whose message contains the value of a
///   [`Secret`](crate::Secret) is printed with `***` in its place. All others, including those of bodies, go to the program's
///   hook. A hook that the program sets later replaces both.
/// - **One holder.** A journal has one holder: a host, `serve` or another command. A second one is refused with
///   [`HostError::Held`], which names the first. Commands of the pipelines' binary, such as `trigger` and `cancel`, reach a host
///   as they reach `serve`.
///
/// # How it ends
///
/// [`shutdown`](Self::shutdown) starts nothing more, lets running attempts finish within the [drain time](HostBuilder::drain),
/// and returns once the journal is closed. If the last handle is dropped instead, attempts are cut off without waiting: the
/// threads close the journal in the background. In both cases the next host of the journal resumes unfinished runs, as after a
/// crash.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    calls: mpsc::UnboundedSender<Call>,
    /// `None` once the host was asked to end.
    end: Mutex<Option<oneshot::Sender<Signal>>>,
    ended: watch::Receiver<Option<EndResult>>,
    journal: PathBuf,
    pipelines: Vec<Pipeline>,
    /// Threads that may wait for the disk.
    reads: Handle,
}

/// How a host ended after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// All running attempts finished.
    Drained,
    /// Attempts were still running when the drain time was over, or when the last handle was dropped. They were cut off, and the
    /// next host of the journal starts them again.
    CutOff,
}

/// A run of a host. It is written as `PIPELINE/ID`, as on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RunRef {
    /// The pipeline's id.
    pub pipeline: String,
    /// The run's id.
    pub run_id: String,
}

impl RunRef {
    /// Creates the reference to that run of that pipeline, as [`JournalReader::runs`] lists it.
    pub fn new(pipeline: impl Into<String>, run_id: impl Into<String>) -> Self {
        Self { pipeline: pipeline.into(), run_id: run_id.into() }
    }
}

impl fmt::Display for RunRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pipeline, self.run_id)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("journal", &self.inner.journal).finish_non_exhaustive()
    }
}

impl Host {
    /// Creates a builder for a host of these pipelines; [`HostBuilder::start`] starts it.
    pub fn builder(pipelines: impl IntoIterator<Item = Pipeline>) -> HostBuilder {
        HostBuilder::new(pipelines.into_iter().collect())
    }

    /// Starts a run, or queues it if the pipeline's `max_active_runs` leaves no room. The run is durable when this returns.
    ///
    /// `params` may be partial, and missing ones have their defaults: `()` stands for all defaults. The default date is the last
    /// complete data interval, or now if the pipeline has no schedule.
    ///
    /// # Errors
    ///
    /// If there is no such pipeline, if it has no plan with these params, if the date is invalid, or if that date has an unfinished run.
    pub async fn trigger(&self, pipeline: &str, params: impl Serialize, logical_date: Option<&str>) -> Result<RunRef, HostError> {
        let params = serde_json::to_value(params).map_err(|error| HostError::Params { pipeline: pipeline.to_owned(), error })?;
        let (pipeline, logical_date) = (pipeline.to_owned(), logical_date.map(str::to_owned));
        self.call(|answer| Call::Trigger { pipeline, params, logical_date, answer }).await
    }

    /// Waits until a run has ended, and returns its details. A run that has ended before is returned at once, even one that an
    /// earlier host ran.
    ///
    /// # Errors
    ///
    /// [`HostError::Blocked`] if this program cannot resume the run, and [`HostError::Ended`] if the host ends before the run does.
    pub async fn wait(&self, run: &RunRef) -> Result<RunDetails, HostError> {
        let run = run.clone();
        self.call(|answer| Call::Wait { run, answer }).await
    }

    /// Cancels a run: its attempts are cut off, and it ends.
    pub async fn cancel(&self, run: &RunRef) -> Result<(), HostError> {
        self.command(Command::Cancel { run: run.to_string() }).await
    }

    /// Retries these nodes of a run, or all that failed if none are named; with `downstream` also everything downstream of them.
    pub async fn retry(&self, run: &RunRef, nodes: &[&str], downstream: bool) -> Result<(), HostError> {
        let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        self.command(Command::Retry { run: run.to_string(), nodes, downstream }).await
    }

    /// Ends a node of a run as skipped.
    pub async fn skip(&self, run: &RunRef, node: &str) -> Result<(), HostError> {
        self.command(Command::Skip { run: run.to_string(), node: node.to_owned() }).await
    }

    /// Updates an asset from outside of its pipelines: those that wait for it start their runs, if the host [follows
    /// schedules](HostBuilder::follow_schedules).
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// # use pipeline_runtime::Host;
    /// static UPLOADS: Asset<String> = Asset::external("uploads");
    ///
    /// #[task] async fn load(key: String) -> Result<()> { Ok(()) }
    /// #[pipeline(when = all(UPLOADS))] fn uploaded() { load(UPLOADS.latest()); }
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let host = Host::builder([uploaded()]).temporary_journal().follow_schedules(true).start().await?;
    /// host.update(&UPLOADS, &"raw/2024-03-25.csv".to_owned()).await?;
    /// # host.shutdown().await?;
    /// # Ok::<(), pipeline_runtime::HostError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn update<T: Data>(&self, asset: &'static Asset<T>, value: &T) -> Result<(), HostError> {
        let asset = asset.name();
        let value = serde_json::to_value(value).map_err(|error| {
            StartError::Refused(format!("the value for the asset `{asset}` cannot be written as JSON: {error}"))
        })?;
        self.command(Command::Update { asset: asset.to_owned(), value }).await
    }

    /// Changes a setting, for runs that begin from then on. Runs that have begun keep the value that they began with.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// # use pipeline_runtime::Host;
    /// static LIMIT: Setting<u64> = Setting::new("limit", 500);
    ///
    /// #[task] async fn read(limit: u64) -> Result<u64> { Ok(limit) }
    /// #[pipeline] fn nightly() { read(&LIMIT); }
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let host = Host::builder([nightly()]).temporary_journal().start().await?;
    /// host.set(&LIMIT, &200).await?;
    /// let run = host.trigger("nightly", (), None).await?;
    /// assert_eq!(host.wait(&run).await?.node("read").unwrap().output::<u64>()?, Some(200));
    /// # host.shutdown().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn set<T: Data>(&self, setting: &'static Setting<T>, value: &T) -> Result<(), HostError> {
        let setting = setting.name();
        let value = serde_json::to_value(value).map_err(|error| {
            StartError::Refused(format!("the value for the setting `{setting}` cannot be written as JSON: {error}"))
        })?;
        self.command(Command::Set { setting: setting.to_owned(), to: SettingInput::Json(value) }).await
    }

    /// Resets a setting to its default, for runs that begin from then on.
    pub async fn unset<T>(&self, setting: &'static Setting<T>) -> Result<(), HostError> {
        self.command(Command::Set { setting: setting.name().to_owned(), to: SettingInput::Default }).await
    }

    /// Pauses a pipeline's schedule, also across restarts. Its active runs continue, and it can be triggered.
    pub async fn pause(&self, pipeline: &str) -> Result<(), HostError> {
        self.command(Command::Pause { pipeline: pipeline.to_owned(), paused: true }).await
    }

    /// Resumes a pipeline's schedule.
    pub async fn unpause(&self, pipeline: &str) -> Result<(), HostError> {
        self.command(Command::Pause { pipeline: pipeline.to_owned(), paused: false }).await
    }

    /// Reads the host's journal on a thread that may wait for the disk. Each call opens its own reader: a program that polls
    /// [`JournalReader::version`] should open one at [`journal`](Self::journal) and keep it.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// # use pipeline_runtime::Host;
    /// use pipeline_runtime::read::RunFilter;
    ///
    /// # #[task]
    /// # async fn rows() -> Result<u64> { Ok(3) }
    /// # #[pipeline]
    /// # fn nightly() { rows(); }
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// # let host = Host::builder([nightly()]).temporary_journal().start().await?;
    /// let runs = host.read(|journal| journal.runs(&RunFilter::new().limit(100))).await?;
    /// assert!(runs.is_empty());
    /// # host.shutdown().await?;
    /// # Ok::<(), pipeline_runtime::HostError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&JournalReader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, HostError> {
        if self.inner.ended.borrow().is_some() {
            return Err(self.end_error().await);
        }
        let (journal, pipelines) = (self.inner.journal.clone(), self.inner.pipelines.clone());
        let read = move || {
            let reader = Reader::of_this_process(&journal).map_err(ReadError::from)?;
            read(&JournalReader::of(reader, pipelines)).map_err(HostError::Read)
        };
        match self.inner.reads.spawn_blocking(read).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The host has ended meanwhile.
                Err(_) => Err(self.end_error().await),
            },
        }
    }

    /// Returns the journal's file.
    pub fn journal(&self) -> &Path {
        &self.inner.journal
    }

    /// Ends the host: nothing more starts, and running attempts have the [drain time](HostBuilder::drain) to finish. When this
    /// returns, all events are durable and the journal is free. Further calls wait for the same end.
    ///
    /// # Errors
    ///
    /// If the journal could no longer be written.
    pub async fn shutdown(&self) -> Result<Shutdown, HostError> {
        self.inner.end_by(Signal::Shutdown);
        self.ended().await
    }

    /// Returns once the host has ended, either by [`shutdown`](Self::shutdown) or because its journal could no longer be written.
    /// A service awaits this beside its own work, to end as well when its runs cannot continue.
    pub async fn ended(&self) -> Result<Shutdown, HostError> {
        let mut ended = self.inner.ended.clone();
        let ended = ended.wait_for(Option::is_some).await.map_err(|_| HostError::Panicked)?;
        ended.clone().unwrap_or(Err(None)).map_err(|failure| failure.map_or(HostError::Panicked, HostError::stopped))
    }

    async fn command(&self, command: Command) -> Result<(), HostError> {
        self.call(|answer| Call::Do { command, answer }).await
    }

    async fn call<T>(&self, call: impl FnOnce(oneshot::Sender<Result<T, HostError>>) -> Call) -> Result<T, HostError> {
        let (answer, answered) = oneshot::channel();
        // If the host has ended, the other end of `answer` is dropped.
        let _ = self.inner.calls.send(call(answer));
        match answered.await {
            Ok(answer) => answer,
            Err(_) => Err(self.end_error().await),
        }
    }

    /// Returns why the host no longer answers.
    async fn end_error(&self) -> HostError {
        let is_asked = self.inner.end.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        if is_asked {
            // The caller need not wait for the drain.
            return HostError::Ended;
        }
        self.ended().await.err().unwrap_or(HostError::Ended)
    }
}

impl Inner {
    fn end_by(&self, signal: Signal) {
        if let Some(end) = self.end.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The host may have ended by itself.
            let _ = end.send(signal);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end_by(Signal::Dropped);
    }
}
