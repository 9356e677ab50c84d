//! The events of a process's runs, for observers.
//!
//! There are two channels. A run's history is updated where its records are created, so that it is correct and complete whenever
//! it is read, however few of the events were shown. And there is a queue of events, in order, for the view that shows them: it
//! never blocks the engine or a body, and the view reports the number of events that it could not show in time.

mod event;
mod queue;
#[cfg(test)]
mod tests;

pub(crate) use event::{FeedEvent, NodeProgress, RunEvent};
pub(crate) use queue::{Loss, TakeResult};

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
    queue: Option<Arc<Queue<FeedEvent>>>,
}

/// The destination of log lines.
#[derive(Debug, Clone)]
pub(crate) enum LogSink {
    Queue(Arc<Queue<FeedEvent>>),
    /// Without a view.
    Nowhere,
}

impl LogSink {
    /// Sends a line. Gives it back if the view is gone.
    pub(crate) fn log(&self, line: String) -> Result<(), String> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Queue(queue) => queue.offer(FeedEvent::Log(line)).map_err(|event| match event {
                FeedEvent::Log(line) => line,
                _ => String::new(),
            }),
        }
    }
}

/// The receiving end of a view.
#[derive(Debug)]
pub(crate) struct Receiver {
    feed: Arc<Feed>,
    queue: Arc<Queue<FeedEvent>>,
}

impl Receiver {
    /// Takes the next events, and waits for them for at most `timeout`.
    pub(crate) fn take(&self, timeout: Option<Duration>) -> TakeResult<FeedEvent> {
        self.queue.take(timeout)
    }

    /// Continues after a gap. Returns what was lost and the current runs. Later events are about these, or announce new ones.
    pub(crate) fn close_gap(&self) -> (Loss, Runs) {
        // Runs are added and removed under this lock.
        let runs = self.feed.runs();
        (self.queue.close_gap(), runs.clone().unwrap_or_default())
    }
}

impl Drop for Receiver {
    /// Nothing takes events any more, possibly because of a panic.
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Feed {
    /// Creates a feed for a view that shows events.
    pub(crate) fn with_view() -> (Arc<Self>, Receiver) {
        Self::bounded(QUEUE)
    }

    fn bounded(bytes: usize) -> (Arc<Self>, Receiver) {
        let queue = Queue::new(bytes);
        let feed = Arc::new(Self { runs: Mutex::new(Some(Runs::new())), queue: Some(Arc::clone(&queue)) });
        (Arc::clone(&feed), Receiver { feed, queue })
    }

    /// Creates a feed without a view, which records histories.
    pub(crate) fn without_view() -> Arc<Self> {
        Arc::new(Self { runs: Mutex::new(Some(Runs::new())), queue: None })
    }

    /// Creates a feed without a view and without histories, for runs that are only read from their journal.
    pub(crate) fn without_histories() -> Arc<Self> {
        Arc::new(Self { runs: Mutex::new(None), queue: None })
    }

    /// Returns the destination for log lines that are to be shown.
    pub(crate) fn log_sink(&self) -> LogSink {
        self.queue.as_ref().map_or(LogSink::Nowhere, |queue| LogSink::Queue(Arc::clone(queue)))
    }

    fn runs(&self) -> MutexGuard<'_, Option<Runs>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops a run that has no further events.
    pub(crate) fn forget(&self, ix: RunIx) {
        let mut runs = self.runs();
        let Some(run) = runs.as_mut().and_then(|runs| runs.remove(&ix)) else { return };
        self.publish(|| FeedEvent::RunForgotten(ix, Arc::clone(&run)));
        drop(runs);
        // Dropping may take long for a large run, and the engine waits for the lock on the runs.
        drop(run);
    }

    /// Shows nothing more than what is already queued.
    pub(crate) fn close(&self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
    }

    /// Takes the runs that were not forgotten. Their further events are not observed.
    pub(crate) fn take_runs(&self) -> Runs {
        self.runs().take().unwrap_or_default()
    }

    fn open(&self, runs: &mut Runs, ix: RunIx, run: &Run, entries: &[Entry]) {
        let mut history = RunHistory::live(Arc::clone(run.plan()), run.started());
        for entry in entries {
            history.apply(entry);
        }
        let run = Arc::new(WatchedRun::new(history, Arc::clone(&run.spec().info), !entries.is_empty()));
        runs.insert(ix, Arc::clone(&run));
        self.publish(|| FeedEvent::RunOpened(ix, run));
    }

    fn publish(&self, event: impl FnOnce() -> FeedEvent) {
        if let Some(queue) = &self.queue {
            // The view may be gone; the run continues.
            let _ = queue.offer(event());
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
        if let Some(watched_run) = runs.get(&ix) {
            let mut history = watched_run.history();
            history.apply(entry);
            self.publish(|| FeedEvent::RunEvent(ix, RunEvent::of(&history, entry)));
        }
    }

    fn resumed(&self, ix: RunIx, run: &Run, entries: &[Entry]) {
        if let Some(runs) = self.runs().as_mut().filter(|runs| !runs.contains_key(&ix)) {
            self.open(runs, ix, run, entries);
        }
    }
}
