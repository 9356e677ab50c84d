//! Runs with progress, for `run` and for the commands that a binary adds.
//!
//! - `mod.rs`: [`Runner`], its options, and the order of the steps from the first check to the last line.
//! - `journal_work.rs`: the runs of the journal that it takes up.
//! - `finished.rs`: [`Finished`], the result.
//! - `error.rs`: [`RunnerError`], why nothing ran.

mod error;
mod finished;
mod journal_work;

pub use error::RunnerError;
pub use finished::Finished;

#[cfg(feature = "dashboard")]
use super::dashboard::DashboardRequest;
use super::progress::{self, Progress, View};
use super::{logging, output, summary, zones};
use crate::author::value::Value;
use crate::engine::{Edit, RunIx};
use crate::host::{
    Backfill, BlockedRun, Command, Dispatch, EngineHost, HostOptions, Opened, PreparedRun, ProcessEnd, Request, RequestMode,
    ServiceOptions, StartError, StopSource, UnfinishedRuns, outlive_file_limit,
};
use crate::journal::SqliteJournal;
use crate::observe::logs::{self, LogFormat, Logging};
use crate::observe::{RunPrefixes, Runs, WatchedRun};
use crate::plan::{Accepts, DEFAULT_PARALLELISM};
use crate::time::{Clock, Timestamp};
use crate::{BoxFuture, Pipeline, RunReport};
use journal_work::{JournalRequest, JournalWork};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Runs pipelines from one of the binary's own commands, with the progress, the logs and the summary of `run`.
///
/// ```
/// use pipeline_runtime::cli::{Progress, Runner};
/// use pipeline_runtime::prelude::*;
/// use std::time::Duration;
///
/// #[sensor(poke = "45s", timeout = "10m")]
/// async fn export(bucket: Bucket) -> Result<Poke<Object>> {
///     Ok(bucket.head("export.json").await?.into())
/// }
///
/// #[pipeline]
/// fn nightly() -> Result<()> {
///     export(Bucket::open("memory://runner")?);
///     Ok(())
/// }
///
/// let late = Bucket::open("memory://runner")?;
/// let finished = Runner::new()
///     .pipeline(nightly(), ())
///     .speed(6000)
///     .beside(|clock| async move {
///         clock.sleep_until(clock.now() + Duration::from_secs(120)).await;
///         late.put("export.json", "{}").await.expect("memory takes it");
///     })
///     .progress(Progress::Silent)
///     .run()?;
/// let pokes = finished.reports()[0].node("export").pokes();
/// assert!(pokes >= 2, "{pokes}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing happens before `run`"]
pub struct Runner {
    runs: Vec<(Pipeline, Result<serde_json::Value, serde_json::Error>)>,
    logical_date: Option<String>,
    speed: u32,
    parallelism: u32,
    progress: Progress,
    logging: Option<Logging>,
    beside: Vec<BackgroundWork>,
    journal: Option<PathBuf>,
    mode: RequestMode,
    journal_request: JournalRequest,
    /// The command of the user, if it is to be recorded as an act.
    command: Option<Command>,
    /// All pipelines of the binary: other processes may request runs of them while this one holds the journal.
    hosting: Vec<Pipeline>,
    service: ServiceOptions,
    /// Shows progress instead of the view that `progress` selects.
    view: Option<Box<dyn View>>,
    dashboard: Option<DashboardRequest>,
}

/// Uninhabited: a dashboard cannot be requested in a build without one.
#[cfg(not(feature = "dashboard"))]
type DashboardRequest = std::convert::Infallible;

type BackgroundWork = Box<dyn FnOnce(Clock) -> BoxFuture<()>>;

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pipelines: Vec<&str> = self.runs.iter().map(|(pipeline, _)| pipeline.id()).collect();
        f.debug_struct("Runner").field("pipelines", &pipelines).field("speed", &self.speed).finish_non_exhaustive()
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

impl Runner {
    /// Creates a runner without pipelines.
    pub fn new() -> Self {
        Self {
            runs: Vec::new(),
            logical_date: None,
            speed: 1,
            parallelism: DEFAULT_PARALLELISM,
            progress: Progress::default(),
            logging: None,
            beside: Vec::new(),
            journal: None,
            mode: RequestMode::Resume,
            journal_request: JournalRequest::None,
            command: None,
            hosting: Vec::new(),
            service: ServiceOptions::default(),
            view: None,
            dashboard: None,
        }
    }

    /// Adds a run. `params` may be partial, and missing ones have their defaults: `()` stands for all defaults.
    pub fn pipeline(mut self, pipeline: Pipeline, params: impl Serialize) -> Self {
        self.runs.push((pipeline, serde_json::to_value(params)));
        self
    }

    /// Runs all pipelines for the data interval that starts on this day, `2024-03-25`, in the pipeline's zone, or that contains
    /// this time, `2024-03-25T06:00:00Z`. The default is the last complete interval, or now if there is no schedule.
    pub fn logical_date(mut self, date: &str) -> Self {
        self.logical_date = Some(date.to_owned());
        self
    }

    /// Runs the clock `times` as fast (1 unless given; 0 counts as 1), including all waits, limits and displayed times. Work
    /// inside a body is not faster, and objects keep the times of the real clock, so the metrics on how late an object was
    /// detected are meaningless then.
    pub fn speed(self, times: u32) -> Self {
        Self { speed: times, ..self }
    }

    /// Sets the maximum number of concurrent attempts of nodes that are in no pool, over all runs; 128 unless given.
    pub fn parallelism(self, slots: u32) -> Self {
        Self { parallelism: slots, ..self }
    }

    /// Sets how progress is shown; by default live on a terminal, and as plain lines elsewhere.
    pub fn progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// Does this work beside the runs, on their threads. It receives the runs' clock, and is cut off if it is not done when all
    /// runs have ended.
    pub fn beside<W: Future<Output = ()> + Send + 'static>(mut self, work: impl FnOnce(Clock) -> W + 'static) -> Self {
        self.beside.push(Box::new(move |clock| Box::pin(work(clock))));
        self
    }

    /// Records the runs in this file, which is created if it is missing: an interrupted run is resumed by the next request for
    /// the same pipeline and logical date. Without a journal, runs end with their process.
    pub fn journal(self, file: impl Into<PathBuf>) -> Self {
        Self { journal: Some(file.into()), ..self }
    }

    /// Starts new runs even if unfinished ones could be resumed.
    pub fn anew(self, new: bool) -> Self {
        Self { mode: if new { RequestMode::StartNew } else { RequestMode::Resume }, ..self }
    }

    /// Starts new runs, but refuses a date that has an unfinished one.
    pub(super) fn trigger(self) -> Self {
        Self { mode: RequestMode::Trigger, ..self }
    }

    /// Records this command as an act.
    pub(super) fn for_command(self, command: &Command) -> Self {
        Self { command: Some(command.clone()), ..self }
    }

    /// Lets other processes request runs of these pipelines while the runs are active.
    pub(super) fn hosting(self, pipelines: &[Pipeline]) -> Self {
        Self { hosting: pipelines.to_vec(), ..self }
    }

    /// Resumes all unfinished runs in the journal whose plans have changed no more than `accepts` allows.
    pub(super) fn unfinished(self, accepts: Accepts) -> Self {
        Self { journal_request: JournalRequest::Unfinished(accepts), ..self }
    }

    /// Applies an edit to a run in the journal, and resumes the run.
    pub(super) fn edit(self, run_id: &str, edit: Edit) -> Self {
        Self { journal_request: JournalRequest::Edited(run_id.to_owned(), edit), ..self }
    }

    /// Runs completed intervals, and unfinished runs of earlier backfills of the pipeline.
    pub(super) fn backfill(self, backfill: Backfill) -> Self {
        let service = ServiceOptions { forgets: true, ..ServiceOptions::default() };
        Self { journal_request: JournalRequest::Backfill(backfill), service, ..self }
    }

    /// Follows the schedules until the process is asked to stop, and then gives running attempts `drain` to finish.
    ///
    /// Runs that ended longer ago than `keep` are deleted, unless their pipeline has its own `keep`.
    pub(super) fn serve(self, drain: Duration, keep: Option<Duration>) -> Self {
        let service = ServiceOptions { follows_schedules: true, forgets: true, drain, keep };
        Self { journal_request: JournalRequest::Unfinished(Accepts::Additions), service, ..self }
    }

    /// Serves the dashboard while the runs are active.
    #[cfg(feature = "dashboard")]
    pub(super) fn dashboard(self, dashboard: Option<DashboardRequest>) -> Self {
        Self { dashboard, ..self }
    }

    #[cfg(test)]
    pub(super) fn view(self, view: Box<dyn View>) -> Self {
        Self { view: Some(view), ..self }
    }

    pub(super) fn logging(self, logging: Logging) -> Self {
        Self { logging: Some(logging), ..self }
    }

    /// Executes all runs concurrently, until all have ended and pending notifications are delivered, for which it waits at most
    /// 30 s.
    ///
    /// Ctrl-C or SIGTERM cuts off running attempts and leaves the runs unfinished; a second one ends the process at once. Log
    /// lines have the level of the environment variable `PIPELINE_LOG`, else `info`, and the format of `PIPELINE_LOG_FORMAT`,
    /// `text` or `json`, else text; the first call in a process decides.
    ///
    /// # Errors
    ///
    /// For wrong use, before anything has run. A failed run is not an error; see [`Finished`].
    #[expect(clippy::too_many_lines, reason = "the order of the steps is what matters, and each is a call")]
    pub fn run(self) -> Result<Finished, RunnerError> {
        outlive_file_limit();
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(RunnerError::InRuntime);
        }
        if self.runs.is_empty() && matches!(self.journal_request, JournalRequest::None) {
            return Err(RunnerError::NoPipeline);
        }
        let logging = self.logging.map_or_else(|| logging::logging(None, None).map_err(RunnerError::Level), Ok)?;
        let progress = self.progress;
        let Opened { journal, clock, calendar } = EngineHost::open(self.journal.as_deref(), self.speed)?;
        let keeps = journal.clone();
        let (feed, news) = progress::feed(progress);
        let observer = Arc::clone(&feed) as _;
        let stop_source = StopSource::Signals { drain: self.service.drain };
        let options = HostOptions { journal, parallelism: self.parallelism, clock, calendar, observer, stop_source };
        let host = EngineHost::new(options).map_err(RunnerError::Process)?;
        let hosting = hosting(self.hosting, &self.runs);
        let mut prepared = Vec::new();
        for (pipeline, params) in self.runs {
            let params = params.map_err(|error| RunnerError::Params { pipeline: pipeline.id(), error })?;
            let request = Request { pipeline, params, logical_date: self.logical_date.clone(), mode: self.mode };
            prepared.push(host.prepare(request)?);
        }
        let edit = self.journal_request.edit();
        let JournalWork { unfinished, backfill, settled } = self.journal_request.read(&host, &hosting, &mut prepared)?;
        let ServiceOptions { follows_schedules, forgets, .. } = self.service;
        if prepared.is_empty() && unfinished.is_empty() && backfill.is_none() && settled.is_none() && !follows_schedules {
            // If all runs are blocked, the first reason is the error.
            let blocked = unfinished.blocked.into_iter().next();
            return Err(blocked.map_or(RunnerError::NoPipeline, |run| run.reason.into()));
        }
        let blocked = unfinished.blocked.len();
        // A program that parses stderr gets it as a log line like all others.
        let logs_as_json = logging.format == LogFormat::Json;
        let (has_journal, is_for_people) = (self.journal.is_some(), matches!(progress, Progress::Auto | Progress::Plain));
        let names = if forgets { RunPrefixes::Full } else { names(&prepared, &unfinished) };
        let mut dispatch = Dispatch::new(&host, &hosting, self.service, Arc::clone(&feed))?;
        if let (Some(file), Some(journal), true) = (&self.journal, &keeps, is_for_people) {
            print_opening(file, prepared.iter().chain(&unfinished.resumable));
            // None of the prepared runs is in the journal yet: the runs found for their dates are earlier ones.
            further_runs(journal, &prepared)?.iter().for_each(|note| output::to_stdout(note));
        }
        // If stdout is for programs, these lines go to stderr.
        let say = if is_for_people { output::to_stdout } else { output::to_stderr };
        if follows_schedules {
            zones::print(say);
        }
        let dashboard = start_dashboard(self.dashboard, self.journal.as_deref(), &host, &hosting, clock, say)?;
        print_not_run(settled.as_deref().filter(|_| is_for_people), unfinished.blocked.iter().filter(|_| !logs_as_json));
        let view = self.view.unwrap_or_else(|| progress::view(progress, clock, forgets));
        let shown = progress::show(view, names.clone(), Arc::clone(&feed), news).map_err(RunnerError::Process)?;
        let logs = logs::collect(logging, feed.log_sink(), clock, names);
        unfinished.blocked.iter().filter(|_| logs_as_json).for_each(BlockedRun::log);
        for work in self.beside {
            host.spawn(work(clock));
        }
        let about = prepared.first().map(|first| (first.about().0.to_owned(), first.plan().pipeline));
        let mut answer = settled.unwrap_or_else(|| about.as_ref().map(start_answer).unwrap_or_default());
        let begin = |dispatch: &mut Dispatch<'_>| -> Result<Vec<RunIx>, StartError> {
            let mut runs = prepared.into_iter().map(|prepared| dispatch.start(prepared)).collect::<Result<Vec<_>, _>>()?;
            if let (Some(edit), Some(ix), Some((run_id, pipeline))) = (&edit, runs.first(), &about) {
                answer = host.edit_answer(edit, *ix, run_id, pipeline);
            }
            runs.extend(dispatch.resume(unfinished)?);
            if let Some(backfill) = &backfill {
                answer = dispatch.backfill(backfill)?;
                if is_for_people {
                    output::to_stdout(&answer);
                }
            }
            if let Some(command) = &self.command {
                host.record_act(command, &answer);
            }
            if follows_schedules && is_for_people {
                output::to_stdout(&dispatch.describe());
            }
            Ok(runs)
        };
        let runs = match begin(&mut dispatch) {
            Ok(runs) => runs,
            Err(error) => {
                drop(logs);
                shown.close();
                return Err(error.into());
            }
        };
        let done = dispatch.run();
        let now = clock.now();
        let failure = host.failure();
        let outputs: Vec<_> = runs.iter().map(|run| outputs(&host, *run)).collect();
        // Released before the rest is printed, which may block on a reader: other processes may take the journal now.
        drop((dashboard, host, keeps, logs));
        shown.close();
        let (ended, tally) = done.map_err(RunnerError::Process)?;
        let watched = feed.take_runs();
        for run in watched.values().filter(|run| !(forgets && run.history().state.is_end())) {
            print_result(run, progress, forgets, ended, now, has_journal);
        }
        if let Some(failure) = failure {
            return Err(RunnerError::Start(StartError::Stopped(failure)));
        }
        let count = runs.len();
        Ok(Finished { reports: reports(runs.into_iter().zip(outputs), watched), runs: count, ended, tally, forgets, blocked })
    }
}

/// Returns the pipelines that other processes may request: those of the binary, else those that are run.
fn hosting(hosting: Vec<Pipeline>, runs: &[(Pipeline, Result<serde_json::Value, serde_json::Error>)]) -> Vec<Pipeline> {
    if hosting.is_empty() { runs.iter().map(|(pipeline, _)| pipeline.clone()).collect() } else { hosting }
}

/// Starts the dashboard if one is requested and there is a journal to show.
#[cfg(feature = "dashboard")]
fn start_dashboard(
    request: Option<DashboardRequest>,
    journal: Option<&Path>,
    host: &EngineHost,
    hosting: &[Pipeline],
    clock: Clock,
    say: fn(&str),
) -> Result<Option<crate::dashboard::Dashboard>, RunnerError> {
    let dashboard = request.zip(journal).map(|(request, journal)| request.start(journal, hosting, clock, host.tally(), say));
    Ok(dashboard.transpose()?.flatten())
}

/// A build without a dashboard.
#[cfg(not(feature = "dashboard"))]
#[expect(clippy::unnecessary_wraps, reason = "as where there is a dashboard")]
fn start_dashboard(
    request: Option<DashboardRequest>,
    _: Option<&Path>,
    _: &EngineHost,
    _: &[Pipeline],
    _: Clock,
    _: fn(&str),
) -> Result<Option<DashboardRequest>, RunnerError> {
    Ok(request)
}

/// Prints the result of a run, or its progress so far.
fn print_result(run: &WatchedRun, progress: Progress, forgets: bool, ended: ProcessEnd, now: Timestamp, has_journal: bool) {
    match progress {
        Progress::Auto | Progress::Plain if forgets => output::to_stdout(&progress::unfinished(run)),
        Progress::Auto | Progress::Plain => summary::print(run, ended, now, has_journal),
        Progress::Json => output::to_stdout(&progress::json_result(run, now)),
        Progress::Silent => {}
    }
}

/// Returns the answer for the one run that a command starts.
fn start_answer((run_id, pipeline): &(String, &str)) -> String {
    format!("run {run_id} of {pipeline} has started")
}

fn print_not_run<'a>(settled: Option<&str>, blocked: impl Iterator<Item = &'a BlockedRun>) {
    if let Some(settled) = settled {
        output::to_stdout(settled);
    }
    for run in blocked {
        output::to_stderr(&output::indent_quoted(&format!("error: {run}")));
    }
}

fn print_opening<'a>(journal: &Path, runs: impl Iterator<Item = &'a PreparedRun>) {
    output::to_stdout(&format!("journal {}", journal.display()));
    for (run_id, _) in runs.map(PreparedRun::about).filter(|(_, resumed)| *resumed) {
        output::to_stdout(&format!("resuming run {run_id}"));
    }
}

/// Returns notes about new runs of a date that already has a run of any kind. Airflow refuses such runs.
fn further_runs(journal: &SqliteJournal, prepared: &[PreparedRun]) -> Result<Vec<String>, StartError> {
    let mut notes = Vec::new();
    let reader = journal.reader()?;
    for spec in prepared.iter().filter_map(PreparedRun::new_spec) {
        let (pipeline, start) = (&spec.info.pipeline, Timestamp::from(spec.info.interval.start));
        let newest = reader.newest_between(pipeline, start, start)?;
        notes.extend(newest.get(&start).map(|(earlier, state)| {
            format!("this date already has a run: run {earlier} is {state}, and `show {pipeline}/{earlier}` shows it")
        }));
    }
    Ok(notes)
}

fn names(prepared: &[PreparedRun], unfinished: &UnfinishedRuns) -> RunPrefixes {
    let begun = prepared.iter().chain(&unfinished.resumable).map(|run| (run.plan().pipeline, run.about().0));
    RunPrefixes::for_runs(begun.chain(unfinished.queued.iter().map(|run| (&*run.pipeline, &*run.run_id))))
}

/// The outputs of a run's nodes, by slot.
type Outputs = Vec<Option<Value>>;

fn outputs(host: &EngineHost, run: RunIx) -> Outputs {
    let outputs = host.engine().look(run, |run| run.nodes().iter().map(|node| node.value().cloned()).collect());
    outputs.unwrap_or_default()
}

fn reports(runs: impl Iterator<Item = (RunIx, Outputs)>, mut watched: Runs) -> Vec<RunReport> {
    runs.filter_map(|(run, outputs)| Some(report(watched.remove(&run)?, outputs))).collect()
}

fn report(watched: Arc<WatchedRun>, outputs: Outputs) -> RunReport {
    let history = Arc::try_unwrap(watched).map_or_else(|shared| shared.history().clone(), WatchedRun::into_history);
    RunReport::new(history, outputs)
}
