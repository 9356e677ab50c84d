//! What a process's runs have to tell whoever watches them, in the order in which it happened.

use super::metrics;
use crate::author::context::RunInfo;
use crate::engine::{Entry, Observe, Record, Run, RunIx};
use crate::plan::Plan;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

/// How much may wait to be shown. Whoever has more to tell waits: a run goes no faster than its terminal, as any program.
const QUEUE: usize = 4096;

/// Something to show.
#[derive(Debug)]
pub(crate) enum News {
    /// A run that was not heard of before.
    Opened(RunIx, Box<Opening>),
    /// A record. Of the output that it may carry only what metrics need is there.
    Record(RunIx, Entry),
    /// A run that is over and will not be heard of any more.
    Forgotten(RunIx),
    /// A log line, without its end.
    Log(String),
    /// Nothing more will come.
    Closed,
}

/// What does not change about a run.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) plan: Arc<Plan>,
    pub(crate) info: Arc<RunInfo>,
    pub(crate) started: Timestamp,
    /// What happened in earlier processes.
    pub(crate) past: Vec<Entry>,
}

/// Sends the records of an engine's runs to whoever shows them.
#[derive(Debug)]
pub(crate) struct Feed {
    news: SyncSender<News>,
    opened: Mutex<HashSet<RunIx>>,
}

impl Feed {
    pub(crate) fn new() -> (Arc<Self>, Receiver<News>) {
        let (news, receiver) = mpsc::sync_channel(QUEUE);
        (Arc::new(Self { news, opened: Mutex::default() }), receiver)
    }

    /// For log lines, and to say that all is over.
    pub(crate) fn sender(&self) -> SyncSender<News> {
        self.news.clone()
    }
}

impl Feed {
    fn open(&self, ix: RunIx, run: &Run, past: &[Entry]) {
        let is_new = self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(ix);
        if is_new {
            let (plan, info) = (Arc::clone(run.plan()), Arc::clone(&run.spec().info));
            let past = past.iter().map(without_output).collect();
            self.send(News::Opened(ix, Box::new(Opening { plan, info, started: run.started(), past })));
        }
    }
}

impl Observe for Feed {
    fn record(&self, ix: RunIx, run: &Run, entry: &Entry) {
        self.open(ix, run, &[]);
        self.send(News::Record(ix, without_output(entry)));
    }

    fn resumed(&self, ix: RunIx, run: &Run, entries: &[Entry]) {
        self.open(ix, run, entries);
    }
}

/// An output may be large, and must not live longer than its run needs it. What metrics need of it is small.
fn without_output(entry: &Entry) -> Entry {
    let record = match &entry.record {
        Record::Succeeded { slot, output } => {
            Record::Succeeded { slot: *slot, output: output.as_ref().and_then(metrics::newest) }
        }
        record => record.clone(),
    };
    Entry { at: entry.at, record }
}

impl Feed {
    /// Nothing more comes of this run.
    pub(crate) fn forget(&self, ix: RunIx) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).remove(&ix);
        self.send(News::Forgotten(ix));
    }

    fn send(&self, news: News) {
        // Whoever showed the run may have gone; the run goes on.
        let _ = self.news.send(news);
    }
}
