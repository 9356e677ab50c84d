//! What a process's runs have to tell whoever watches them.
//!
//! Two ways lead there. A run's history is written where its records are made, so that it is right and whole whenever somebody reads it, however
//! little of what happened was shown. And there is a queue of what happened, in its order, for whoever shows that: it never makes the engine or a
//! body wait, and what a view has not shown in time it tells the count of.

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

/// How many bytes of news may wait to be shown, 16 MiB: some 100,000 events. What does not fit is not shown, but counted.
pub(crate) const QUEUE: usize = 16 << 20;
/// A run that is over stays in memory until it was shown, which counts for the queue; but at least so many fit.
const RUNS: usize = 16;

/// A run that somebody may watch.
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

    /// The run's history as it is now. The engine waits for whoever holds it: nothing may be written meanwhile.
    pub(crate) fn history(&self) -> MutexGuard<'_, RunHistory> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run's history in the end.
    pub(crate) fn into_history(self) -> RunHistory {
        self.history.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it takes in memory with its plan, about.
    fn weight(&self) -> usize {
        const A_NODE: usize = 512;
        let history = self.history();
        (history.len().max(history.plan().nodes.len()) * A_NODE).min(QUEUE / RUNS)
    }
}

/// The runs by their index in the engine.
pub(crate) type Runs = BTreeMap<RunIx, Arc<WatchedRun>>;

/// Sees the records of an engine's runs.
#[derive(Debug)]
pub(crate) struct Feed {
    /// None once they were taken: nobody sees what happens any more.
    runs: Mutex<Option<Runs>>,
    /// None where nobody is shown anything.
    news: Option<Arc<Queue<News>>>,
}

/// Where log lines go.
#[derive(Debug, Clone)]
pub(crate) enum LogSink {
    Queue(Arc<Queue<News>>),
    /// Nobody is shown anything.
    Nowhere,
}

impl LogSink {
    /// Gives the line back where nobody shows it any more.
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

/// What a view takes news from.
#[derive(Debug)]
pub(crate) struct Receiver {
    feed: Arc<Feed>,
    news: Arc<Queue<News>>,
}

impl Receiver {
    /// The next that are there; waits for them, at most for so long.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Taken<News> {
        self.news.take(patience)
    }

    /// Goes on after a gap: what was lost in it, and which runs there are now. News that come from now on are about these, or tell of new ones.
    pub(crate) fn go_on(&self) -> (Lost, Runs) {
        // Runs come and go under this lock.
        let runs = self.feed.runs();
        (self.news.go_on(), runs.clone().unwrap_or_default())
    }
}

impl Drop for Receiver {
    /// Nobody takes anything any more, be it for a panic.
    fn drop(&mut self) {
        self.news.close();
    }
}

impl Feed {
    /// For a view that shows what happens.
    pub(crate) fn shown() -> (Arc<Self>, Receiver) {
        Self::bounded(QUEUE)
    }

    fn bounded(bytes: usize) -> (Arc<Self>, Receiver) {
        let news = Queue::new(bytes);
        let feed = Arc::new(Self { runs: Mutex::new(Some(Runs::new())), news: Some(Arc::clone(&news)) });
        (Arc::clone(&feed), Receiver { feed, news })
    }

    /// For runs that nobody is shown anything of, and whose histories are wanted.
    pub(crate) fn silent() -> Arc<Self> {
        Arc::new(Self { runs: Mutex::new(Some(Runs::new())), news: None })
    }

    /// For runs whose histories nobody wants but from their journal.
    pub(crate) fn unseen() -> Arc<Self> {
        Arc::new(Self { runs: Mutex::new(None), news: None })
    }

    /// Where log lines go that are to be shown.
    pub(crate) fn log_sink(&self) -> LogSink {
        self.news.as_ref().map_or(LogSink::Nowhere, |news| LogSink::Queue(Arc::clone(news)))
    }

    fn runs(&self) -> MutexGuard<'_, Option<Runs>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more comes of this run.
    pub(crate) fn forget(&self, ix: RunIx) {
        let mut runs = self.runs();
        let Some(run) = runs.as_mut().and_then(|runs| runs.remove(&ix)) else { return };
        self.tell(|| News::Forgotten(ix, Arc::clone(&run)));
        drop(runs);
        // It may be large, and the engine waits for the runs.
        drop(run);
    }

    /// Nothing more is shown but what is there already.
    pub(crate) fn close(&self) {
        if let Some(news) = &self.news {
            news.close();
        }
    }

    /// The runs that were not forgotten. What becomes of them from now on is not seen.
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
            // Whoever showed the run may have gone; the run goes on.
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
