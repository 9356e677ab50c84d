//! Access for benchmarks, behind the feature `measure`: runs of a plan without the command line. It changes without notice.

use crate::author::context::RunInfo;
use crate::engine::{Engine, EngineOptions, Journal, NodeState, Observe, Run, RunIx, RunSpec, RunState};
use crate::host::ResumedRun;
use crate::journal::{JournalError, MemoryJournal, NoJournal, Reader, SqliteJournal, StoredRun};
use crate::observe::Feed;
use crate::plan::{Accepts, DEFAULT_PARALLELISM, Plan};
use crate::schedule::Interval;
use crate::time::{Clock, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// An engine as a process has it: bodies on workers, timers on a thread of their own.
#[derive(Debug)]
pub struct Live {
    engine: Engine,
    begun: AtomicU64,
    /// `None` if runs end with their process.
    journal: Option<Arc<SqliteJournal>>,
    /// `None` only while it is dropped.
    workers: Option<Runtime>,
    timers: Option<(oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
}

impl Live {
    /// An engine whose runs end with their process.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn in_memory(workers: usize) -> std::io::Result<Self> {
        Self::beside(Box::new(NoJournal), None, workers)
    }

    /// The same, with the histories of its runs, as every process has them.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn with_history(workers: usize) -> std::io::Result<Self> {
        Self::beside(Box::new(NoJournal), Some(Feed::without_view()), workers)
    }

    /// The same, with all records of its runs, so that they can be counted.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn recorded(workers: usize) -> std::io::Result<Self> {
        Self::beside(Box::new(MemoryJournal::default()), None, workers)
    }

    fn beside(journal: Box<dyn Journal>, feed: Option<Arc<Feed>>, workers: usize) -> std::io::Result<Self> {
        let observer = feed.map(|feed| feed as Arc<dyn Observe>);
        let options = EngineOptions { clock: Clock::system(), parallelism: DEFAULT_PARALLELISM, check_outputs: false, observer };
        Self::new(Engine::new(journal, options, None), None, workers)
    }

    /// An engine whose runs are stored in that file.
    ///
    /// # Errors
    ///
    /// If the journal cannot be used, or a thread cannot be started.
    pub fn durable(file: &Path, workers: usize) -> std::io::Result<Self> {
        let journal = Arc::new(SqliteJournal::open(file).map_err(|error: JournalError| std::io::Error::other(error))?);
        let options =
            EngineOptions { clock: Clock::system(), parallelism: DEFAULT_PARALLELISM, check_outputs: false, observer: None };
        let engine = Engine::new(Box::new(Arc::clone(&journal)), options, None);
        journal.attach(&engine);
        Self::new(engine, Some(journal), workers)
    }

    fn new(engine: Engine, journal: Option<Arc<SqliteJournal>>, threads: usize) -> std::io::Result<Self> {
        let workers = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
        engine.run_on(workers.handle().clone());
        let (stop, stopped) = oneshot::channel();
        let (driven, timers) = (engine.clone(), Builder::new_current_thread().enable_all().build()?);
        let timers = std::thread::spawn(move || {
            timers.block_on(async {
                tokio::select! {
                    never = driven.drive(threads) => match never {},
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { engine, begun: AtomicU64::new(0), journal, workers: Some(workers), timers: Some((stop, timers)) })
    }

    /// Starts a run.
    pub fn start(&self, plan: &Arc<Plan>) -> LiveRun<'_> {
        let now = self.engine.clock().now();
        let run_id = match &self.journal {
            // Each stored run needs an id of its own.
            Some(_) => format!("measured__{}", self.begun.fetch_add(1, Ordering::Relaxed)),
            None => "measured".into(),
        };
        let info = RunInfo::new(plan.pipeline, run_id, Interval::at(now.to_utc()), serde_json::Value::Null);
        let key = self.journal.as_ref().map_or(0, |journal| journal.enter(&stored(plan, &info, now), &[]));
        let spec = RunSpec { plan: Arc::clone(plan), info: Arc::new(info), sla_from: now, seed: 0, key };
        LiveRun { live: self, ix: self.engine.start(spec) }
    }

    /// Runs a plan to its end.
    pub fn run(&self, plan: &Arc<Plan>) -> RunState {
        self.start(plan).ended()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.engine.stop();
        if let Some((stop, timers)) = self.timers.take() {
            // It may have ended by a panic, which its thread has reported.
            let _ = stop.send(());
            let _ = timers.join();
        }
        if let Some(workers) = self.workers.take() {
            workers.shutdown_background();
        }
        if let Some(journal) = &self.journal {
            journal.close();
        }
    }
}

fn stored(plan: &Plan, info: &RunInfo, now: Timestamp) -> StoredRun {
    let begun = StoredRun::begun_by_hand(plan, &info.run_id, now);
    StoredRun { pipeline: info.pipeline.clone(), interval: info.interval, ..begun }
}

/// A run that has started.
#[derive(Debug)]
pub struct LiveRun<'a> {
    live: &'a Live,
    ix: RunIx,
}

impl LiveRun<'_> {
    /// Blocks until it has ended.
    pub fn ended(&self) -> RunState {
        self.live.workers.as_ref().map_or(RunState::Failed, |workers| workers.block_on(self.live.engine.ended(self.ix)))
    }

    /// Blocks until every node is a sensor between two pokes.
    pub fn all_wait(&self) {
        let wait = |run: &Run| run.nodes().iter().all(|node| node.state() == NodeState::UpForReschedule);
        while self.live.engine.look(self.ix, wait) == Some(false) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Blocks until all nodes but so many have ended.
    pub fn all_end_but(&self, unfinished: usize) {
        let is_there = |run: &Run| run.nodes().iter().filter(|node| !node.state().is_end()).count() <= unfinished;
        while self.live.engine.look(self.ix, is_there) == Some(false) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns the number of the run's records, if they are [recorded](Live::recorded).
    pub fn records(&self) -> usize {
        self.live.engine.entries(self.ix).len()
    }

    /// Returns the output of a node, if it is a `T`.
    pub fn output<T: Clone + 'static>(&self, id: &str) -> Option<T> {
        self.live.engine.look(self.ix, |run| {
            let slot = run.layout().find(run.plan(), id)?;
            run.node(slot).value()?.as_any().downcast_ref::<T>().cloned()
        })?
    }
}

/// A run that was rebuilt from its records.
#[derive(Debug)]
pub struct Replayed(ResumedRun);

impl Replayed {
    /// Reads the only unfinished run of a journal, as a process does that resumes it.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read, or has no such run.
    pub fn read(journal: &Path, plan: &Arc<Plan>) -> std::io::Result<Self> {
        let reader = Reader::open(journal).map_err(std::io::Error::other)?;
        let run = reader.unfinished().map_err(std::io::Error::other)?.pop();
        let run = run.ok_or_else(|| std::io::Error::other("no run is unfinished"))?;
        let resumed = ResumedRun::of(&reader, Arc::clone(plan), &run, Accepts::default());
        resumed.map(Self).map_err(std::io::Error::other)
    }

    /// The number of its records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.0.entries.len()
    }
}
