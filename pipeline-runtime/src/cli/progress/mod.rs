//! Progress: what the runs of this process have to tell, shown while it happens.
//!
//! The engine's records and the log lines come through one queue to one thread, which alone writes to the terminal. So lines
//! are never torn, and stand in the order in which things happened.

mod json;
mod live;
mod plain;
mod words;

pub(super) use words::brief;

use crate::author::context::RunInfo;
use crate::engine::{Entry, RunIx};
use crate::observe::{News, Opening, RunHistory};
use crate::time::{Clock, Timestamp};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// A line for each node that runs or waits, redrawn in place; plain lines unless both stdout and stderr are terminals.
    #[default]
    Auto,
    /// One line an event, on stdout.
    Plain,
    /// One JSON object an event, on stdout; see [`cli`](crate::cli) for their shape.
    Json,
    /// Nothing at all, log lines included: for tests, and for whoever tells of the run in words of their own.
    Silent,
}

/// What names a node where it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Its id alone: there is one run. Further ones, which others asked for, are named by their pipelines.
    One,
    /// Its run's pipeline, too.
    Pipelines,
    /// Its pipeline and run: runs come and go.
    Runs,
}

/// The time between two drawings.
const REDRAW: Duration = Duration::from_millis(100);

/// A run that is shown.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) history: RunHistory,
    pub(super) info: Arc<RunInfo>,
    pub(super) started: Timestamp,
    /// An earlier process began it.
    resumed: bool,
    /// What names the run's nodes where several runs are shown: `nightly/`.
    prefix: String,
}

/// Shows what happens. All is called on one thread.
trait View: Send {
    fn opened(&mut self, run: &Watched);
    /// The run's history has the record already.
    fn record(&mut self, run: &Watched, entry: &Entry);
    fn log(&mut self, line: &str);
    /// The run is over, and will not be told of at the end.
    fn finished(&mut self, run: &Watched);
    /// Draws what is the case now; called every [`REDRAW`] where `is_drawn` says so.
    fn draw(&mut self, _runs: &BTreeMap<RunIx, Watched>) {}
    fn is_drawn(&self) -> bool {
        false
    }
    /// Nothing more will come.
    fn close(&mut self) {}
}

/// The thread that shows progress.
#[derive(Debug)]
pub(super) struct Shown {
    news: SyncSender<News>,
    thread: JoinHandle<BTreeMap<RunIx, Watched>>,
}

/// Shows the news that come through `receiver`.
pub(super) fn show(
    progress: Progress,
    clock: Clock,
    names: Names,
    news: SyncSender<News>,
    receiver: Receiver<News>,
) -> std::io::Result<Shown> {
    let is_terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    let view: Box<dyn View> = match progress {
        Progress::Auto if is_terminal => Box::new(live::Live::new(clock)),
        Progress::Auto | Progress::Plain => Box::new(plain::Plain),
        Progress::Json => Box::new(json::Json),
        Progress::Silent => Box::new(Silent),
    };
    let thread = std::thread::Builder::new().name("pipeline-progress".into()).spawn(move || watch(view, names, &receiver))?;
    Ok(Shown { news, thread })
}

impl Shown {
    /// Shows what is left, and returns what the runs' histories are in the end.
    pub(super) fn close(self) -> BTreeMap<RunIx, Watched> {
        // A thread that panicked hears nothing more; then there is nothing to show either.
        let _ = self.news.send(News::Closed);
        self.thread.join().unwrap_or_default()
    }
}

fn watch(mut view: Box<dyn View>, names: Names, news: &Receiver<News>) -> BTreeMap<RunIx, Watched> {
    let mut runs = BTreeMap::new();
    let mut drawn: Option<Instant> = None;
    loop {
        // Not the engine's clock: a terminal is redrawn by the real one.
        let next = if view.is_drawn() { news.recv_timeout(REDRAW) } else { news.recv().map_err(RecvTimeoutError::from) };
        match next {
            Ok(News::Opened(ix, opening)) => {
                let names = if names == Names::One && !runs.is_empty() { Names::Pipelines } else { names };
                let watched = Watched::new(*opening, names);
                view.opened(&watched);
                runs.insert(ix, watched);
            }
            Ok(News::Record(ix, entry)) => {
                if let Some(watched) = runs.get_mut(&ix) {
                    watched.history.apply(&entry);
                    view.record(watched, &entry);
                }
            }
            Ok(News::Forgotten(ix)) => {
                if let Some(watched) = runs.remove(&ix) {
                    view.finished(&watched);
                }
            }
            Ok(News::Log(line)) => view.log(&line),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(News::Closed) | Err(RecvTimeoutError::Disconnected) => break,
        }
        if view.is_drawn() && drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            drawn = Some(Instant::now());
            view.draw(&runs);
        }
    }
    view.close();
    runs
}

impl Watched {
    pub(super) fn new(opening: Opening, names: Names) -> Self {
        let Opening { plan, info, started, past } = opening;
        let prefix = match names {
            Names::One => String::new(),
            Names::Pipelines => format!("{}/", plan.pipeline),
            Names::Runs => format!("{}/{}/", plan.pipeline, info.run_id),
        };
        let resumed = !past.is_empty();
        Self { resumed, history: RunHistory::of(plan, started, &past), info, started, prefix }
    }
}

/// That a run goes on with another process.
pub(super) fn unfinished(run: &Watched) -> String {
    format!("run {} of {} is unfinished: `serve` or `resume` goes on with it", run.info.run_id, run.info.pipeline)
}

/// How a run ended, or that it has not, as the last JSON object about it.
pub(super) fn json_result(run: &Watched, at: Timestamp) -> String {
    json::finished(run, at)
}

/// Shows nothing.
struct Silent;

impl View for Silent {
    fn opened(&mut self, _: &Watched) {}

    fn record(&mut self, _: &Watched, _: &Entry) {}

    fn finished(&mut self, _: &Watched) {}

    fn log(&mut self, _: &str) {}
}
