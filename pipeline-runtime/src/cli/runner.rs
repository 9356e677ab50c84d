//! Runs with progress, for `run` and for a binary's own commands.

#[cfg(feature = "dashboard")]
use super::dashboard::Wanted;
use super::progress::{self, Progress, View};
use super::{WRONG_USE, logging, output, summary, zones};
use crate::author::value::Value;
use crate::engine::{Edit, RunIx};
use crate::host::{
    Ask, Backfill, Command, Dispatch, Edited, Ended, EndedBy, EngineHost, HostOptions, Opened, Prepared, Request, Service,
    SetAside, StartError, Tally, Unfinished, outlive_file_limit, said_of, said_of_given_up,
};
use crate::journal::{RunKind, SqliteJournal, StoredRun};
use crate::observe::logs::{self, LogFormat, Logging};
use crate::observe::{RunPrefixes, Runs, WatchedRun};
use crate::plan::{Accepts, DEFAULT_PARALLELISM};
use crate::time::{Clock, Timestamp};
use crate::{BoxFuture, Pipeline, RunReport, RunState};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
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
    beside: Vec<Beside>,
    journal: Option<PathBuf>,
    ask: Ask,
    kept: Kept,
    /// The command of the user, if it is to be recorded as an act.
    asked: Option<Command>,
    /// All pipelines of the binary: other processes may request runs of them while this one holds the journal.
    hosting: Vec<Pipeline>,
    service: Service,
    /// Shows progress instead of the view that `progress` selects.
    view: Option<Box<dyn View>>,
    page: Option<Wanted>,
}

/// Which runs in the journal are resumed, beside those requested by pipeline.
#[derive(Debug)]
enum Kept {
    None,
    Unfinished(Accepts),
    Edited(String, Edit),
    Backfill(Backfill),
}

/// Unfinished work in the journal, beside the requested runs.
#[derive(Debug, Default)]
struct Left {
    unfinished: Unfinished,
    backfill: Option<Backfill>,
    /// The result for a run that this program has no plan for: nothing of it is run.
    settled: Option<String>,
}

impl Kept {
    fn edit(&self) -> Option<Edit> {
        match self {
            Self::Edited(_, edit) => Some(edit.clone()),
            _ => None,
        }
    }

    fn read(self, host: &EngineHost, hosting: &[Pipeline], prepared: &mut Vec<Prepared>) -> Result<Left, StartError> {
        let mut left = Left::default();
        match self {
            Self::None => {}
            Self::Unfinished(accepts) => left.unfinished = host.unfinished(hosting, accepts, |_| true)?,
            Self::Edited(run_id, edit) => match host.edited(hosting, &run_id, edit)? {
                Edited::Prepared(run) => prepared.push(run),
                Edited::CancelledAsItIs(run) => {
                    let said = said_of(&Edit::Cancel, &run.run_id, &run.pipeline);
                    left.settled = Some(format!("{said}; this program could not resume it"));
                }
                Edited::GivenUp(run, _) => left.settled = Some(said_of_given_up(&run.run_id, &run.pipeline)),
            },
            Self::Backfill(of) => {
                // With `depends_on_past`, intervals wait for all unfinished runs before them, of whatever kind.
                let is_it = |pipeline: &&Pipeline| pipeline.id() == of.pipeline;
                let takes_all = hosting.iter().find(is_it).is_some_and(|pipeline| pipeline.options().depends_on_past);
                let wanted = |run: &StoredRun| run.pipeline == of.pipeline && (takes_all || run.kind == RunKind::Backfill);
                left.unfinished = host.unfinished(hosting, Accepts::Additions, wanted)?;
                left.backfill = Some(of);
            }
        }
        Ok(left)
    }
}

/// Uninhabited: a dashboard cannot be requested in a build without one.
#[cfg(not(feature = "dashboard"))]
type Wanted = std::convert::Infallible;

type Beside = Box<dyn FnOnce(Clock) -> BoxFuture<()>>;

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
            ask: Ask::Resume,
            kept: Kept::None,
            asked: None,
            hosting: Vec::new(),
            service: Service::default(),
            view: None,
            page: None,
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
        Self { ask: if new { Ask::StartNew } else { Ask::Resume }, ..self }
    }

    /// Starts new runs, but refuses a date that has an unfinished one.
    pub(super) fn trigger(self) -> Self {
        Self { ask: Ask::Trigger, ..self }
    }

    /// Records this command as an act.
    pub(super) fn asked(self, command: &Command) -> Self {
        Self { asked: Some(command.clone()), ..self }
    }

    /// Lets other processes request runs of these pipelines while the runs are active.
    pub(super) fn hosting(self, pipelines: &[Pipeline]) -> Self {
        Self { hosting: pipelines.to_vec(), ..self }
    }

    /// Resumes all unfinished runs in the journal whose plans have changed no more than `accepts` allows.
    pub(super) fn unfinished(self, accepts: Accepts) -> Self {
        Self { kept: Kept::Unfinished(accepts), ..self }
    }

    /// Applies an edit to a run in the journal, and resumes the run.
    pub(super) fn edit(self, run_id: &str, edit: Edit) -> Self {
        Self { kept: Kept::Edited(run_id.to_owned(), edit), ..self }
    }

    /// Runs completed intervals, and unfinished runs of earlier backfills of the pipeline.
    pub(super) fn backfill(self, backfill: Backfill) -> Self {
        let service = Service { forgets: true, ..Service::default() };
        Self { kept: Kept::Backfill(backfill), service, ..self }
    }

    /// Follows the schedules until the process is asked to stop, and then gives running attempts `drain` to finish.
    ///
    /// Runs that ended longer ago than `keep` are deleted, unless their pipeline has its own `keep`.
    pub(super) fn serve(self, drain: Duration, keep: Option<Duration>) -> Self {
        let service = Service { follows_schedules: true, forgets: true, drain, keep };
        Self { kept: Kept::Unfinished(Accepts::Additions), service, ..self }
    }

    /// Serves the dashboard while the runs are active.
    #[cfg(feature = "dashboard")]
    pub(super) fn shown_on(self, page: Option<Wanted>) -> Self {
        Self { page, ..self }
    }

    #[cfg(test)]
    pub(super) fn viewed_by(self, view: Box<dyn View>) -> Self {
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
        if self.runs.is_empty() && matches!(self.kept, Kept::None) {
            return Err(RunnerError::NoPipeline);
        }
        let logging = self.logging.map_or_else(|| logging::logging(None, None).map_err(RunnerError::Level), Ok)?;
        let progress = self.progress;
        let Opened { journal, clock, calendar } = EngineHost::open(self.journal.as_deref(), self.speed)?;
        let keeps = journal.clone();
        let (feed, news) = progress::feed(progress);
        let observer = Arc::clone(&feed) as _;
        let ended_by = EndedBy::Signals { drain: self.service.drain };
        let options = HostOptions { journal, parallelism: self.parallelism, clock, calendar, observer, ended_by };
        let host = EngineHost::new(options).map_err(RunnerError::Process)?;
        let hosting = hosting(self.hosting, &self.runs);
        let mut prepared = Vec::new();
        for (pipeline, params) in self.runs {
            let params = params.map_err(|error| RunnerError::Params { pipeline: pipeline.id(), error })?;
            let request = Request { pipeline, params, logical_date: self.logical_date.clone(), ask: self.ask };
            prepared.push(host.prepare(request)?);
        }
        let edit = self.kept.edit();
        let Left { unfinished, backfill, settled } = self.kept.read(&host, &hosting, &mut prepared)?;
        let Service { follows_schedules, forgets, .. } = self.service;
        if prepared.is_empty() && unfinished.is_empty() && backfill.is_none() && settled.is_none() && !follows_schedules {
            // If all runs were set aside, their reason is the error.
            let aside = unfinished.aside.into_iter().next();
            return Err(aside.map_or(RunnerError::NoPipeline, |aside| aside.reason.into()));
        }
        let set_aside = unfinished.aside.len();
        // A program that parses stderr gets it as a log line like all others.
        let logs_as_json = logging.format == LogFormat::Json;
        let (is_kept, is_told) = (self.journal.is_some(), matches!(progress, Progress::Auto | Progress::Plain));
        let names = if forgets { RunPrefixes::Full } else { names(&prepared, &unfinished) };
        let mut dispatch = Dispatch::new(&host, &hosting, self.service, Arc::clone(&feed))?;
        if let (Some(file), Some(journal), true) = (&self.journal, &keeps, is_told) {
            open_with(file, prepared.iter().chain(&unfinished.begun));
            // None of the prepared runs is in the journal yet: the runs found for their dates are earlier ones.
            further_runs(journal, &prepared)?.iter().for_each(|said| output::to_stdout(said));
        }
        // If stdout is for programs, these lines go to stderr.
        let say = if is_told { output::to_stdout } else { output::to_stderr };
        if follows_schedules {
            zones::say(say);
        }
        let page = show_page(self.page, self.journal.as_deref(), &host, &hosting, clock, say)?;
        say_what_is_not_run(settled.as_deref().filter(|_| is_told), unfinished.aside.iter().filter(|_| !logs_as_json));
        let view = self.view.unwrap_or_else(|| progress::view(progress, clock, forgets));
        let shown = progress::show(view, names.clone(), Arc::clone(&feed), news).map_err(RunnerError::Process)?;
        let logs = logs::collect(logging, feed.log_sink(), clock, names);
        unfinished.aside.iter().filter(|_| logs_as_json).for_each(SetAside::log);
        for work in self.beside {
            host.spawn(work(clock));
        }
        let about = prepared.first().map(|first| (first.about().0.to_owned(), first.plan().pipeline));
        let mut said = settled.unwrap_or_else(|| about.as_ref().map(said_of_begun).unwrap_or_default());
        let begin = |dispatch: &mut Dispatch<'_>| -> Result<Vec<RunIx>, StartError> {
            let mut runs = prepared.into_iter().map(|prepared| dispatch.start(prepared)).collect::<Result<Vec<_>, _>>()?;
            if let (Some(edit), Some(ix), Some((run_id, pipeline))) = (&edit, runs.first(), &about) {
                said = host.said_of(edit, *ix, run_id, pipeline);
            }
            runs.extend(dispatch.go_on(unfinished)?);
            if let Some(backfill) = &backfill {
                said = dispatch.backfill(backfill)?;
                if is_told {
                    output::to_stdout(&said);
                }
            }
            if let Some(command) = &self.asked {
                host.asked(command, &said);
            }
            if follows_schedules && is_told {
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
        drop((page, host, keeps, logs));
        shown.close();
        let (ended, tally) = done.map_err(RunnerError::Process)?;
        let watched = feed.take_runs();
        for run in watched.values().filter(|run| !(forgets && run.history().state.is_end())) {
            tell(run, progress, forgets, ended, now, is_kept);
        }
        if let Some(failure) = failure {
            return Err(RunnerError::Start(StartError::Stopped(failure)));
        }
        let count = runs.len();
        Ok(Finished { reports: reports(runs.into_iter().zip(outputs), watched), runs: count, ended, tally, forgets, set_aside })
    }
}

/// Returns the pipelines that other processes may request: those of the binary, else those that are run.
fn hosting(hosting: Vec<Pipeline>, runs: &[(Pipeline, Result<serde_json::Value, serde_json::Error>)]) -> Vec<Pipeline> {
    if hosting.is_empty() { runs.iter().map(|(pipeline, _)| pipeline.clone()).collect() } else { hosting }
}

/// Starts the dashboard if one is wanted and there is a journal to show.
#[cfg(feature = "dashboard")]
fn show_page(
    page: Option<Wanted>,
    journal: Option<&Path>,
    host: &EngineHost,
    hosting: &[Pipeline],
    clock: Clock,
    say: fn(&str),
) -> Result<Option<crate::dashboard::Dashboard>, RunnerError> {
    let page = page.zip(journal).map(|(page, journal)| page.start(journal, hosting, clock, host.tally(), say));
    Ok(page.transpose()?.flatten())
}

/// A build without a dashboard.
#[cfg(not(feature = "dashboard"))]
#[expect(clippy::unnecessary_wraps, reason = "as where there is a dashboard")]
fn show_page(
    page: Option<Wanted>,
    _: Option<&Path>,
    _: &EngineHost,
    _: &[Pipeline],
    _: Clock,
    _: fn(&str),
) -> Result<Option<Wanted>, RunnerError> {
    Ok(page)
}

/// Prints the result of a run, or its progress so far.
fn tell(run: &WatchedRun, progress: Progress, forgets: bool, ended: Ended, now: Timestamp, is_kept: bool) {
    match progress {
        Progress::Auto | Progress::Plain if forgets => output::to_stdout(&progress::unfinished(run)),
        Progress::Auto | Progress::Plain => summary::print(run, ended, now, is_kept),
        Progress::Json => output::to_stdout(&progress::json_result(run, now)),
        Progress::Silent => {}
    }
}

/// Returns the answer for the one run that a command starts.
fn said_of_begun((run_id, pipeline): &(String, &str)) -> String {
    format!("run {run_id} of {pipeline} has started")
}

fn say_what_is_not_run<'a>(settled: Option<&str>, aside: impl Iterator<Item = &'a SetAside>) {
    if let Some(settled) = settled {
        output::to_stdout(settled);
    }
    for aside in aside {
        output::to_stderr(&output::set_off(&format!("error: {aside}")));
    }
}

fn open_with<'a>(journal: &Path, runs: impl Iterator<Item = &'a Prepared>) {
    output::to_stdout(&format!("journal {}", journal.display()));
    for (run_id, _) in runs.map(Prepared::about).filter(|(_, resumed)| *resumed) {
        output::to_stdout(&format!("resuming run {run_id}"));
    }
}

/// Returns notes about new runs of a date that already has a run of any kind. Airflow refuses such runs.
fn further_runs(journal: &SqliteJournal, prepared: &[Prepared]) -> Result<Vec<String>, StartError> {
    let mut said = Vec::new();
    let reader = journal.reader()?;
    for spec in prepared.iter().filter_map(Prepared::new_spec) {
        let (pipeline, start) = (&spec.info.pipeline, Timestamp::from(spec.info.interval.start));
        let newest = reader.newest_between(pipeline, start, start)?;
        said.extend(newest.get(&start).map(|(earlier, state)| {
            format!("this date already has a run: run {earlier} is {state}, and `show {pipeline}/{earlier}` shows it")
        }));
    }
    Ok(said)
}

fn names(prepared: &[Prepared], unfinished: &Unfinished) -> RunPrefixes {
    let begun = prepared.iter().chain(&unfinished.begun).map(|run| (run.plan().pipeline, run.about().0));
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

/// Runs that ended or were interrupted.
#[derive(Debug)]
pub struct Finished {
    reports: Vec<RunReport>,
    /// How many runs should have a report if none is forgotten.
    runs: usize,
    ended: Ended,
    tally: Tally,
    forgets: bool,
    /// How many runs could not be resumed.
    set_aside: usize,
}

impl Finished {
    /// Returns the reports of the runs, in the order in which the runs were given.
    pub fn reports(&self) -> &[RunReport] {
        &self.reports
    }

    /// Returns the reports by value.
    pub fn into_reports(self) -> Vec<RunReport> {
        self.reports
    }

    /// True if Ctrl-C or SIGTERM came before all runs had ended.
    pub fn is_interrupted(&self) -> bool {
        matches!(self.ended, Ended::Interrupted(_) | Ended::Drained(_))
    }

    /// Returns the number of runs per final state.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns the exit code for the process: 0 if all runs succeeded, 1 if one did not, 130 if Ctrl-C interrupted them, 143 if
    /// SIGTERM did.
    pub fn exit_code(&self) -> ExitCode {
        let all = |state| self.reports.iter().all(|report| report.state() == state);
        match self.ended {
            Ended::Drained(_) => ExitCode::SUCCESS,
            Ended::Interrupted(signal) if self.forgets || self.reports.iter().any(|report| !report.state().is_end()) => {
                ExitCode::from(signal.exit_code())
            }
            // A run without a report is not known to have succeeded.
            _ if !self.forgets && self.reports.len() < self.runs => ExitCode::FAILURE,
            _ if self.set_aside + self.tally.blocked > 0 => ExitCode::FAILURE,
            _ if self.forgets && self.tally.failed + self.tally.cancelled + self.tally.queued > 0 => ExitCode::FAILURE,
            _ if self.forgets || all(RunState::Success) => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}

/// Why a [`Runner`] ran nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunnerError {
    /// A run could not be started: its plan, its params or its date is wrong.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Params that cannot be serialized as JSON.
    #[error("the params of pipeline `{pipeline}` cannot be written as JSON: {error}")]
    Params {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The error of serde.
        error: serde_json::Error,
    },
    /// `PIPELINE_LOG` is not a valid level, or `PIPELINE_LOG_FORMAT` not a valid format.
    #[error("{0}")]
    Level(String),
    /// There is nothing to run.
    #[error("there is nothing to run: add a pipeline with `Runner::pipeline`")]
    NoPipeline,
    /// The requested dashboard cannot be started.
    #[error("{0}")]
    Dashboard(String),
    /// It was called within a tokio runtime.
    #[error(
        "a runner has a runtime of its own and cannot be run within another: call it from a plain `main`, or embed a `Host`, which can"
    )]
    InRuntime,
    /// The system provided no thread, file descriptor or signal handler.
    #[error(
        "the system gives this process too few resources to run anything: {0}; raise the limit on open files (`ulimit -n`, systemd's LimitNOFILE=) or \
         on threads (`ulimit -u`, TasksMax=, a container's limit on pids)"
    )]
    Process(#[source] std::io::Error),
}

#[cfg(feature = "dashboard")]
impl From<crate::dashboard::DashboardError> for RunnerError {
    fn from(error: crate::dashboard::DashboardError) -> Self {
        Self::Dashboard(error.to_string())
    }
}

impl RunnerError {
    /// Returns the exit code for the process: 1 if the journal could no longer be written, else 2, as for all wrong use.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Start(StartError::Stopped(_)) => ExitCode::FAILURE,
            _ => ExitCode::from(WRONG_USE),
        }
    }

    /// Prints the error if it is not wrong use, and returns the exit code. The caller prints wrong use.
    pub(super) fn refuse(self) -> Result<ExitCode, String> {
        match &self {
            Self::Start(StartError::Stopped(error)) => {
                output::to_stderr(&output::set_off(&format!("error: {error}")));
                Ok(self.exit_code())
            }
            _ => Err(self.to_string()),
        }
    }
}
