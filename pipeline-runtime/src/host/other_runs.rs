//! Runs of other pipelines, for bodies that read or await them: read from the journal, and woken when a run ends.
//!
//! # Invariants
//!
//! - A waiter is registered before the journal is read, and the end of a run is announced after it is committed. So either the
//!   read sees the end, or the announcement finds the waiter. (`tests/durable/across.rs`)
//! - The table's lock is never held while a waiter is woken: the engine has its own lock, and drops entries while holding it.

use super::StartError;
use crate::Pipeline;
use crate::author::across::{RunQuery, TakenOutput, UpstreamRun};
use crate::author::error::TaskError;
use crate::author::notify::BoxFuture;
use crate::engine::{FoundOutput, FoundRun, NodeState, OtherRuns, RunState, Skip, StartRun, Wake, Watching};
use crate::journal::{AwaitedRun, NodePassed, SqliteJournal};
use crate::plan::PlanError;
use crate::read::{JournalReader, ReadError, RunDetails};
use crate::schedule::Interval;
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// A run that a body starts, and the channel that is answered once it is durable.
#[derive(Debug)]
pub(super) struct StartRequest {
    pub(super) run: StartRun,
    pub(super) answer: oneshot::Sender<Result<Interval, StartError>>,
}

/// The runs in a journal.
#[derive(Debug)]
pub(super) struct JournaledRuns {
    journal: Arc<SqliteJournal>,
    pipelines: Arc<[Pipeline]>,
    waiters: Arc<WaiterTable>,
    /// Opened by the first read.
    reader: Arc<tokio::sync::Mutex<Option<JournalReader>>>,
    starts: mpsc::UnboundedSender<StartRequest>,
}

impl JournaledRuns {
    /// Creates the view of a journal, and the receiver of the runs that bodies start.
    pub(super) fn new(
        journal: &Arc<SqliteJournal>,
        pipelines: &[Pipeline],
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<StartRequest>) {
        let (starts, requests) = mpsc::unbounded_channel();
        let runs = Self {
            journal: Arc::clone(journal),
            pipelines: pipelines.into(),
            waiters: Arc::default(),
            reader: Arc::default(),
            starts,
        };
        (Arc::new(runs), requests)
    }

    /// True if anything waits for a run.
    pub(super) fn is_awaited(&self) -> bool {
        !self.waiters.table().is_empty()
    }

    /// Called when the end of a run is committed: pokes the sensors that wait for it.
    pub(super) fn ended(&self, pipeline: &str, run_id: &str, start: DateTime<Utc>) {
        self.waiters.wake(&[
            WakeEvent::Interval { pipeline: pipeline.to_owned(), start },
            WakeEvent::Run { pipeline: pipeline.to_owned(), run_id: run_id.to_owned() },
        ]);
        // A run may end without a node that it had to run again. Then its waiters go by an earlier run of the interval in which
        // the node passed.
        for node in self.waiters.nodes_of(pipeline) {
            self.waiters.wake_next(&node, start);
        }
    }

    /// Called when the success of a node that a later run may wait for is committed. Pokes the waiters of the next interval,
    /// since each run waits for the last one before it. Waiters of later intervals would read the journal in vain, each time.
    pub(super) fn passed(&self, NodePassed { pipeline, node, start }: NodePassed) {
        self.waiters.wake_next(&WakeEvent::Node { pipeline: pipeline.to_owned(), node: node.into() }, start);
    }

    /// Reads on a thread that may wait for the disk. Reads are serialized.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&JournalReader) -> Result<T, TaskError> + Send + 'static,
    ) -> BoxFuture<Result<T, TaskError>> {
        let (reader, journal, pipelines) = (Arc::clone(&self.reader), Arc::clone(&self.journal), Arc::clone(&self.pipelines));
        Box::pin(async move {
            let mut reader = reader.lock_owned().await;
            let read = tokio::task::spawn_blocking(move || {
                read(match &mut *reader {
                    Some(reader) => reader,
                    none => none.insert(JournalReader::of(journal.reader()?, pipelines.to_vec())),
                })
            });
            read.await?
        })
    }
}

impl OtherRuns for JournaledRuns {
    fn look(&self, wanted: RunQuery, watching: Option<Arc<Watching>>) -> BoxFuture<Result<FoundRun, TaskError>> {
        let pipeline = wanted.pipeline();
        if !self.pipelines.iter().any(|known| known.id() == pipeline) {
            return refuse(not_here(pipeline));
        }
        if let Some(watching) = watching {
            watching.keep(self.waiters.enter(&wanted, watching.wake().clone()));
        }
        self.read(move |reader| {
            let run = match &wanted {
                RunQuery::OfInterval { pipeline, start } => reader.journal().awaited_run(pipeline, (*start).into())?,
                RunQuery::Named { pipeline, run_id } => reader.journal().awaited_run_by_id(pipeline, run_id)?,
                RunQuery::Before { pipeline, start, node } => return passed_before(reader, pipeline, (*start).into(), node),
            };
            Ok(match run {
                None => FoundRun::Nothing,
                Some(run) => found(run, wanted.pipeline(), reader),
            })
        })
    }

    fn output(&self, run: UpstreamRun, of: TakenOutput) -> BoxFuture<Result<FoundOutput, TaskError>> {
        let pipelines = Arc::clone(&self.pipelines);
        self.read(move |reader| output(reader, &pipelines, &run, of))
    }

    fn start(&self, run: StartRun) -> BoxFuture<Result<Interval, TaskError>> {
        let starts = self.starts.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            if starts.send(StartRequest { run, answer }).is_ok()
                && let Ok(answer) = answered.await
            {
                return answer.map_err(|error| if error.may_pass() { error.into() } else { TaskError::fatal(error) });
            }
            // The process ends, and cuts this attempt off. The next attempt starts the run, or finds it.
            std::future::pending().await
        })
    }
}

fn refuse<T: Send + 'static>(error: String) -> BoxFuture<Result<T, TaskError>> {
    Box::pin(std::future::ready(Err(TaskError::fatal(error))))
}

fn not_here(pipeline: &str) -> String {
    format!(
        "this program has no pipeline `{pipeline}`: give it to `cli::main` or to the `Host`, beside the one that waits for it"
    )
}

fn found(run: AwaitedRun, pipeline: &str, reader: &JournalReader) -> FoundRun {
    let AwaitedRun { run_id, interval, state, is_blocked, started, finished } = run;
    match (state, finished) {
        (RunState::Success, Some(finished)) => FoundRun::Succeeded(UpstreamRun {
            pipeline: pipeline.to_owned(),
            run_id,
            interval_start: interval.start,
            interval_end: interval.end,
            started: started.to_utc(),
            finished: finished.to_utc(),
        }),
        (state, _) if state.is_end() => {
            let name = format!("{pipeline}/{run_id}");
            // The error is included if it can be read; that the run failed is known anyway.
            let error = details(reader, &name).ok().flatten().and_then(|details| what_failed(&details));
            FoundRun::Failed { run_id, state, error }
        }
        (state, _) => {
            let state = if is_blocked { crate::journal::BLOCKED } else { state.name() };
            FoundRun::Unfinished { run_id, state }
        }
    }
}

/// Finds out whether a node has passed in the interval before `start`. While a run of that interval is unfinished, such as a run
/// that repeats it, the node has to pass there. Otherwise the run counts that ended last and in which the node ended. A node that
/// was cut off by the end of its run was not skipped on purpose: it has not done its work, or only part of it.
fn passed_before(reader: &JournalReader, pipeline: &str, start: Timestamp, node: &str) -> Result<FoundRun, TaskError> {
    let mut first = None;
    for run_id in reader.journal().runs_of_interval_before(pipeline, start)? {
        // A run that was deleted in between is ignored.
        let Some(details) = details(reader, &format!("{pipeline}/{run_id}"))? else { continue };
        let is_unfinished = !details.state().is_end();
        // A version of the code without the node gives nothing to wait for.
        let Some(slot) = details.history().find(node) else { return Ok(FoundRun::Passed) };
        let node = details.history().node(slot);
        let (state, is_cut_off) = (node.state(), matches!(node.why_skipped(), Some(Skip::RunEnded)));
        let has_passed = matches!(state, NodeState::Success | NodeState::Skipped) && !is_cut_off;
        let found = || FoundRun::Unfinished { run_id: run_id.clone(), state: state.name() };
        match (is_unfinished, has_passed) {
            (true, true) => {}
            (true, false) => return Ok(found()),
            (false, true) => return Ok(FoundRun::Passed),
            (false, false) if state.is_end() && !is_cut_off => return Ok(first.unwrap_or_else(found)),
            // The node may have got further in an earlier run.
            (false, false) => {
                first.get_or_insert_with(found);
            }
        }
    }
    Ok(first.unwrap_or(FoundRun::Passed))
}

fn details(reader: &JournalReader, name: &str) -> Result<Option<RunDetails>, ReadError> {
    reader.run(name)?.map(|run| reader.details(&run)).transpose()
}

/// Returns the first node that failed, and its error.
fn what_failed(details: &RunDetails) -> Option<String> {
    let failed = details.nodes().find(|node| node.state() == NodeState::Failed);
    match failed {
        Some(node) => Some(format!("`{}`: {}", node.id(), node.error().unwrap_or("without an error"))),
        None if details.state() == RunState::Failed => Some(if details.history().cut_off_by_earlier_end().is_empty() {
            "it took longer than its timeout".to_owned()
        } else {
            "it had ended before, and not all nodes that were cut off then were retried".to_owned()
        }),
        None => None,
    }
}

fn output(reader: &JournalReader, pipelines: &[Pipeline], run: &UpstreamRun, of: TakenOutput) -> Result<FoundOutput, TaskError> {
    let pipeline = pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline);
    let pipeline = pipeline.ok_or_else(|| TaskError::fatal(not_here(&run.pipeline)))?;
    let name = format!("{}/{}", run.pipeline, run.run_id);
    let details = details(reader, &name)?;
    let details = details.ok_or_else(|| TaskError::fatal(format!("run {} of `{}` was deleted", run.run_id, run.pipeline)))?;
    let node = node_of(pipeline, details.summary().params(), of).map_err(TaskError::fatal)?;
    let node = node.ok_or_else(|| {
        TaskError::fatal(format!("pipeline `{}` wires no `{}` with the params of that run", run.pipeline, of.id))
    })?;
    let history = details.history();
    let node = history.find(&node).map(|slot| history.node(slot));
    Ok(match node {
        Some(node) if node.state() == NodeState::Skipped => FoundOutput::Skipped,
        node => node.and_then(|node| node.output().cloned()).map_or(FoundOutput::Nothing, FoundOutput::Json),
    })
}

/// Returns the id of the node of that task.
fn node_of(pipeline: &Pipeline, params: &serde_json::Value, of: TakenOutput) -> Result<Option<String>, PlanError> {
    let plan = pipeline.plan_of_run(params)?;
    let found = plan.bodies().find(|(_, definition)| definition.task == of.task);
    Ok(found.map(|(node, _)| plan.id(node)))
}

/// An event that wakes waiters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum WakeEvent {
    /// The end of any run of the interval that starts at this time.
    Interval { pipeline: String, start: DateTime<Utc> },
    /// The end of this run.
    Run { pipeline: String, run_id: String },
    /// This node has passed in the run before.
    Node { pipeline: String, node: Box<str> },
}

impl WakeEvent {
    fn of(wanted: &RunQuery) -> Self {
        match wanted.clone() {
            RunQuery::OfInterval { pipeline, start } => Self::Interval { pipeline, start },
            RunQuery::Named { pipeline, run_id } => Self::Run { pipeline, run_id },
            RunQuery::Before { pipeline, node, .. } => Self::Node { pipeline, node },
        }
    }
}

/// The waiters, by the event that they wait for.
#[derive(Debug, Default)]
struct WaiterTable {
    table: Mutex<Waiters>,
    next: std::sync::atomic::AtomicU64,
}

type Waiters = HashMap<WakeEvent, HashMap<u64, Waiter>>;

#[derive(Debug)]
struct Waiter {
    wake: Wake,
    /// For a waiter for its own past: the start of its run's interval.
    start: Option<DateTime<Utc>>,
}

impl WaiterTable {
    fn table(&self) -> MutexGuard<'_, Waiters> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, events: &[WakeEvent]) {
        let wakes: Vec<Wake> = {
            let table = self.table();
            let waiting = events.iter().filter_map(|what| table.get(what));
            waiting.flat_map(|waiting| waiting.values().map(|of| of.wake.clone())).collect()
        };
        wakes.iter().for_each(Wake::wake);
    }

    /// Returns the nodes of a pipeline that runs wait for in their past.
    fn nodes_of(&self, pipeline: &str) -> Vec<WakeEvent> {
        let is_of = |what: &&WakeEvent| matches!(what, WakeEvent::Node { pipeline: of, .. } if of == pipeline);
        self.table().keys().filter(is_of).cloned().collect()
    }

    /// Wakes the waiters whose runs have the first interval after `after`.
    fn wake_next(&self, what: &WakeEvent, after: DateTime<Utc>) {
        let wakes: Vec<Wake> = {
            let table = self.table();
            let Some(waiting) = table.get(what) else { return };
            let next = waiting.values().filter_map(|of| of.start).filter(|start| *start > after).min();
            waiting.values().filter(|of| of.start.is_some() && of.start == next).map(|of| of.wake.clone()).collect()
        };
        wakes.iter().for_each(Wake::wake);
    }

    /// Registers a waiter until the returned entry is dropped.
    fn enter(self: &Arc<Self>, wanted: &RunQuery, wake: Wake) -> WaiterEntry {
        let start = if let RunQuery::Before { start, .. } = wanted { Some(*start) } else { None };
        let event = WakeEvent::of(wanted);
        let id = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.table().entry(event.clone()).or_default().insert(id, Waiter { wake, start });
        WaiterEntry { waiters: Arc::clone(self), event, id }
    }
}

/// A registered waiter. Its drop takes a lock that is never held for long.
#[derive(Debug)]
struct WaiterEntry {
    waiters: Arc<WaiterTable>,
    event: WakeEvent,
    id: u64,
}

impl Drop for WaiterEntry {
    fn drop(&mut self) {
        let mut table = self.waiters.table();
        if let Some(waiters) = table.get_mut(&self.event) {
            waiters.remove(&self.id);
            if waiters.is_empty() {
                table.remove(&self.event);
            }
        }
    }
}
