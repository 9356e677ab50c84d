//! The events of a process's runs, for observers.
//!
//! There are two channels. A run's history is updated where its records are created, so that it is correct and complete whenever
//! it is read, however few of the events were shown. And there is a queue of events, in order, for the view that shows them: it
//! never blocks the engine or a body, and the view reports the number of events that it could not show in time.

mod news;
mod queue;
#[cfg(test)]
mod tests;

pub(crate) use news::{After, Event, News};
pub(crate) use queue::{Lost, Taken};

use super::history::RunHistory;
use crate::author::context::RunInfo;
use crate::engine::{Entry, Observe, Run, RunIx};
use crate::time::Timestamp;
use queue::Queue;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The size limit of the queue in bytes, 16 MiB: some 100,000 events. What does not fit is dropped and counted.
pub(crate) const QUEUE: usize = 16 << 20;
/// A finished run stays in memory until it was shown, and counts towards the queue; at least this many runs fit.
const RUNS: usize = 16;

/// A run that may be observed.
#[derive(Debug)]
pub(crate) struct WatchedRun {
    pub(crate) info: Arc<RunInfo>,
    pub(crate) started: Timestamp,
    /// An earlier process began it.
    pub(crate) resumed: bool,
    history: Mutex<RunHistory>,
}

impl WatchedRun {
    pub(crate) fn new(history: RunHistory, info: Arc<RunInfo>, resumed: bool) -> Self {
        Self { info, started: history.started, resumed, history: Mutex::new(history) }
    }

    /// Locks the run's current history. The engine waits for the lock: write nothing while holding it.
    pub(crate) fn history(&self) -> MutexGuard<'_, RunHistory> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the run's final history.
    pub(crate) fn into_history(self) -> RunHistory {
        self.history.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns its approximate size in memory, including its plan.
    fn weight(&self) -> usize {
        const A_NODE: usize = 512;
        let history = self.history();
        (history.len().max(history.plan().nodes.len()) * A_NODE).min(QUEUE / RUNS)
    }
}

/// The runs by their index in the engine.
pub(crate) type Runs = BTreeMap<RunIx, Arc<WatchedRun>>;

/// Observes the records of an engine's runs.
#[derive(Debug)]
pub(crate) struct Feed {
    /// `None` once they were taken: nothing is observed any more.
    runs: Mutex<Option<Runs>>,
    /// `None` without a view.
    news: Option<Arc<Queue<News>>>,
}

/// The destination of log lines.
#[derive(Debug, Clone)]
pub(crate) enum LogSink {
    Queue(Arc<Queue<News>>),
    /// Without a view.
    Nowhere,
}

impl LogSink {
    /// Sends a line. Gives it back if the view is gone.
    pub(crate) fn log(&self, line: String) -> Result<(), String> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Queue(news) => news.offer(News::Log(line)).map_err(|news| match news {
                News::Log(line) => line,
                _ => String::new(),
            }),
        }
    }
}

/// The receiving end of a view.
#[derive(Debug)]
pub(crate) struct Receiver {
    feed: Arc<Feed>,
    news: Arc<Queue<News>>,
}

impl Receiver {
    /// Takes the next news; waits for them, for at most `patience`.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Taken<News> {
        self.news.take(patience)
    }

    /// Continues after a gap. Returns what was lost and the current runs. Later news are about these, or announce new ones.
    pub(crate) fn go_on(&self) -> (Lost, Runs) {
        // Runs are added and removed under this lock.
        let runs = self.feed.runs();
        (self.news.go_on(), runs.clone().unwrap_or_default())
    }
}

impl Drop for Receiver {
    /// Nothing takes news any more, possibly because of a panic.
    fn drop(&mut self) {
        self.news.close();
    }
}

impl Feed {
    /// Creates a feed for a view that shows events.
    pub(crate) fn shown() -> (Arc<Self>, Receiver) {
        Self::bounded(QUEUE)
    }

    fn bounded(bytes: usize) -> (Arc<Self>, Receiver) {
        let news = Queue::new(bytes);
        let feed = Arc::new(Self { runs: Mutex::new(Some(Runs::new())), news: Some(Arc::clone(&news)) });
        (Arc::clone(&feed), Receiver { feed, news })
    }

    /// Creates a feed without a view, which records histories.
    pub(crate) fn silent() -> Arc<Self> {
        Arc::new(Self { runs: Mutex::new(Some(Runs::new())), news: None })
    }

    /// Creates a feed without a view and without histories, for runs that are only read from their journal.
    pub(crate) fn unseen() -> Arc<Self> {
        Arc::new(Self { runs: Mutex::new(None), news: None })
    }

    /// Returns the destination for log lines that are to be shown.
    pub(crate) fn log_sink(&self) -> LogSink {
        self.news.as_ref().map_or(LogSink::Nowhere, |news| LogSink::Queue(Arc::clone(news)))
    }

    fn runs(&self) -> MutexGuard<'_, Option<Runs>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops a run that has no further events.
    pub(crate) fn forget(&self, ix: RunIx) {
        let mut runs = self.runs();
        let Some(run) = runs.as_mut().and_then(|runs| runs.remove(&ix)) else { return };
        self.tell(|| News::Forgotten(ix, Arc::clone(&run)));
        drop(runs);
        // Dropping may take long for a large run, and the engine waits for the lock on the runs.
        drop(run);
    }

    /// Shows nothing more than what is already queued.
    pub(crate) fn close(&self) {
        if let Some(news) = &self.news {
            news.close();
        }
    }

    /// Takes the runs that were not forgotten. Their further events are not observed.
    pub(crate) fn take_runs(&self) -> Runs {
        self.runs().take().unwrap_or_default()
    }

    fn open(&self, runs: &mut Runs, ix: RunIx, run: &Run, past: &[Entry]) {
        let mut history = RunHistory::live(Arc::clone(run.plan()), run.started());
        for entry in past {
            history.apply(entry);
        }
        let watched = Arc::new(WatchedRun::new(history, Arc::clone(&run.spec().info), !past.is_empty()));
        runs.insert(ix, Arc::clone(&watched));
        self.tell(|| News::Opened(ix, watched));
    }

    fn tell(&self, news: impl FnOnce() -> News) {
        if let Some(queue) = &self.news {
            // The view may be gone; the run continues.
            let _ = queue.offer(news());
        }
    }
}

impl Observe for Feed {
    fn record(&self, ix: RunIx, run: &Run, entry: &Entry) {
        let mut runs = self.runs();
        let Some(runs) = runs.as_mut() else { return };
        if !runs.contains_key(&ix) {
            self.open(runs, ix, run, &[]);
        }
        if let Some(watched) = runs.get(&ix) {
            let mut history = watched.history();
            history.apply(entry);
            self.tell(|| News::Event(ix, Event::of(&history, entry)));
        }
    }

    fn resumed(&self, ix: RunIx, run: &Run, entries: &[Entry]) {
        if let Some(runs) = self.runs().as_mut().filter(|runs| !runs.contains_key(&ix)) {
            self.open(runs, ix, run, entries);
        }
    }
}
