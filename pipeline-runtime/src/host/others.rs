//! Runs of other pipelines, for bodies that ask: read from the journal, and woken for by whoever hears that a run has ended.
//!
//! # Invariants
//!
//! - Who waits is entered before the journal is read, and the end of a run is heard after it is kept. So either the reading sees the end, or
//!   the hearing sees who waits. (`tests/durable/across.rs`)
//! - The table's lock is never held while anybody is woken: the engine has a lock of its own, and ends a wait under it.

use super::StartError;
use crate::Pipeline;
use crate::author::across::{Takes, UpstreamRun, WantedRun};
use crate::author::error::TaskError;
use crate::author::notify::BoxFuture;
use crate::engine::{FoundOutput, FoundRun, NodeState, OtherRuns, RunState, Skip, StartRun, Wake, Watching};
use crate::journal::{Meant, Passed, SqliteJournal};
use crate::plan::PlanError;
use crate::read::{JournalReader, ReadError, RunDetails};
use crate::schedule::Interval;
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// A run that a body wants started, and who waits until it is kept.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) run: StartRun,
    pub(super) answer: oneshot::Sender<Result<Interval, StartError>>,
}

/// The runs that a journal keeps.
#[derive(Debug)]
pub(super) struct HostedRuns {
    journal: Arc<SqliteJournal>,
    pipelines: Arc<[Pipeline]>,
    awaited: Arc<Awaited>,
    /// Opened by the first who asks.
    reader: Arc<tokio::sync::Mutex<Option<JournalReader>>>,
    starts: mpsc::UnboundedSender<Start>,
}

impl HostedRuns {
    /// Those of a journal, and the runs that bodies want started.
    pub(super) fn new(journal: &Arc<SqliteJournal>, pipelines: &[Pipeline]) -> (Arc<Self>, mpsc::UnboundedReceiver<Start>) {
        let (starts, wanted) = mpsc::unbounded_channel();
        let runs = Self {
            journal: Arc::clone(journal),
            pipelines: pipelines.into(),
            awaited: Arc::default(),
            reader: Arc::default(),
            starts,
        };
        (Arc::new(runs), wanted)
    }

    /// Whether anybody waits for a run.
    pub(super) fn is_awaited(&self) -> bool {
        !self.awaited.table().is_empty()
    }

    /// A run has ended, and that is kept: pokes whoever waits for it.
    pub(super) fn ended(&self, pipeline: &str, run_id: &str, start: DateTime<Utc>) {
        self.awaited.wake(&[
            Awakening::Interval { pipeline: pipeline.to_owned(), start },
            Awakening::Run { pipeline: pipeline.to_owned(), run_id: run_id.to_owned() },
        ]);
        // A run that ends without a node that it had to run again holds up nobody where an earlier one of its interval has passed.
        for node in self.awaited.nodes_of(pipeline) {
            self.awaited.wake_next(&node, start);
        }
    }

    /// A node has passed that a later run may wait for, and that is kept: pokes those of the next interval, as each run waits for the
    /// last one before it. Who waits in later ones would read the journal for nothing, each time.
    pub(super) fn passed(&self, Passed { pipeline, node, start }: Passed) {
        self.awaited.wake_next(&Awakening::Node { pipeline: pipeline.to_owned(), node: node.into() }, start);
    }

    /// Reads on a thread that may wait for the disk, one after the other.
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

impl OtherRuns for HostedRuns {
    fn look(&self, wanted: WantedRun, watching: Option<Arc<Watching>>) -> BoxFuture<Result<FoundRun, TaskError>> {
        let pipeline = wanted.pipeline();
        if !self.pipelines.iter().any(|known| known.id() == pipeline) {
            return refuse(not_here(pipeline));
        }
        if let Some(watching) = watching {
            watching.keep(self.awaited.enter(&wanted, watching.wake().clone()));
        }
        self.read(move |reader| {
            let meant = match &wanted {
                WantedRun::OfInterval { pipeline, start } => reader.journal().meant(pipeline, (*start).into())?,
                WantedRun::Named { pipeline, run_id } => reader.journal().meant_by(pipeline, run_id)?,
                WantedRun::Before { pipeline, start, node } => return passed_before(reader, pipeline, (*start).into(), node),
            };
            Ok(match meant {
                None => FoundRun::Nothing,
                Some(meant) => found(meant, wanted.pipeline(), reader),
            })
        })
    }

    fn output(&self, run: UpstreamRun, of: Takes) -> BoxFuture<Result<FoundOutput, TaskError>> {
        let pipelines = Arc::clone(&self.pipelines);
        self.read(move |reader| output(reader, &pipelines, &run, of))
    }

    fn start(&self, run: StartRun) -> BoxFuture<Result<Interval, TaskError>> {
        let starts = self.starts.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            if starts.send(Start { run, answer }).is_ok()
                && let Ok(answer) = answered.await
            {
                return answer.map_err(|error| if error.may_pass() { error.into() } else { TaskError::fatal(error) });
            }
            // The process ends, and cuts this attempt off. The one after it starts the run, or finds it.
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

fn found(meant: Meant, pipeline: &str, reader: &JournalReader) -> FoundRun {
    let Meant { run_id, interval, state, is_blocked, started, finished } = meant;
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
            // What it failed of is told where it can be read; that it failed is known.
            let error = details(reader, &name).ok().flatten().and_then(|details| what_failed(&details));
            FoundRun::Failed { run_id, state, error }
        }
        (state, _) => {
            let state = if is_blocked { crate::journal::BLOCKED } else { state.name() };
            FoundRun::Unfinished { run_id, state }
        }
    }
}

/// Whether a node has passed in the interval before then. While a run of that interval is unfinished, as one that runs it again, it has to
/// pass there; after that the run says so that ended last and in which it ended. What the end of its run has cut off was not skipped by anybody's
/// choice: it has done its work by half, or not at all.
fn passed_before(reader: &JournalReader, pipeline: &str, start: Timestamp, node: &str) -> Result<FoundRun, TaskError> {
    let mut first = None;
    for run_id in reader.journal().before(pipeline, start)? {
        // One that was deleted in between was of no use to anybody.
        let Some(details) = details(reader, &format!("{pipeline}/{run_id}"))? else { continue };
        let is_unfinished = !details.state().is_end();
        // A version of the code that did not have the node has nothing to wait for.
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
            // An earlier run may have come further.
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

/// The first node that failed, and its error.
fn what_failed(details: &RunDetails) -> Option<String> {
    let failed = details.nodes().find(|node| node.state() == NodeState::Failed);
    match failed {
        Some(node) => Some(format!("`{}`: {}", node.id(), node.error().unwrap_or("without an error"))),
        None if details.state() == RunState::Failed => Some(if details.history().left_cut_off().is_empty() {
            "it took longer than its timeout".to_owned()
        } else {
            "it had been ended before, and not all that was cut off then was retried".to_owned()
        }),
        None => None,
    }
}

fn output(reader: &JournalReader, pipelines: &[Pipeline], run: &UpstreamRun, of: Takes) -> Result<FoundOutput, TaskError> {
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

/// The id of the node of that task.
fn node_of(pipeline: &Pipeline, params: &serde_json::Value, of: Takes) -> Result<Option<String>, PlanError> {
    let plan = pipeline.plan_of_run(params)?;
    let found = plan.bodies().find(|(_, definition)| definition.task == of.task);
    Ok(found.map(|(node, _)| plan.id(node)))
}

/// What wakes somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Awakening {
    /// The end of any run of the interval that starts then.
    Interval { pipeline: String, start: DateTime<Utc> },
    /// The end of that run.
    Run { pipeline: String, run_id: String },
    /// That node has passed in the run before.
    Node { pipeline: String, node: Box<str> },
}

impl Awakening {
    fn of(wanted: &WantedRun) -> Self {
        match wanted.clone() {
            WantedRun::OfInterval { pipeline, start } => Self::Interval { pipeline, start },
            WantedRun::Named { pipeline, run_id } => Self::Run { pipeline, run_id },
            WantedRun::Before { pipeline, node, .. } => Self::Node { pipeline, node },
        }
    }
}

/// Who waits for what.
#[derive(Debug, Default)]
struct Awaited {
    table: Mutex<Table>,
    next: std::sync::atomic::AtomicU64,
}

type Table = HashMap<Awakening, HashMap<u64, Waiting>>;

#[derive(Debug)]
struct Waiting {
    wake: Wake,
    /// Of who waits for its past: when the interval of its own run starts.
    start: Option<DateTime<Utc>>,
}

impl Awaited {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, awakenings: &[Awakening]) {
        let wakes: Vec<Wake> = {
            let table = self.table();
            let waiting = awakenings.iter().filter_map(|what| table.get(what));
            waiting.flat_map(|waiting| waiting.values().map(|of| of.wake.clone())).collect()
        };
        wakes.iter().for_each(Wake::wake);
    }

    /// The nodes of a pipeline whose past somebody waits for.
    fn nodes_of(&self, pipeline: &str) -> Vec<Awakening> {
        let is_of = |what: &&Awakening| matches!(what, Awakening::Node { pipeline: of, .. } if of == pipeline);
        self.table().keys().filter(is_of).cloned().collect()
    }

    /// Wakes those whose runs are of the first interval after that one.
    fn wake_next(&self, what: &Awakening, after: DateTime<Utc>) {
        let wakes: Vec<Wake> = {
            let table = self.table();
            let Some(waiting) = table.get(what) else { return };
            let next = waiting.values().filter_map(|of| of.start).filter(|start| *start > after).min();
            waiting.values().filter(|of| of.start.is_some() && of.start == next).map(|of| of.wake.clone()).collect()
        };
        wakes.iter().for_each(Wake::wake);
    }

    /// Who is to be woken, until what this returns is dropped.
    fn enter(self: &Arc<Self>, wanted: &WantedRun, wake: Wake) -> Entry {
        let start = if let WantedRun::Before { start, .. } = wanted { Some(*start) } else { None };
        let wanted = Awakening::of(wanted);
        let id = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.table().entry(wanted.clone()).or_default().insert(id, Waiting { wake, start });
        Entry { awaited: Arc::clone(self), wanted, id }
    }
}

/// Somebody who waits. Its drop takes a lock that nobody holds for long.
#[derive(Debug)]
struct Entry {
    awaited: Arc<Awaited>,
    wanted: Awakening,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut table = self.awaited.table();
        if let Some(waiting) = table.get_mut(&self.wanted) {
            waiting.remove(&self.id);
            if waiting.is_empty() {
                table.remove(&self.wanted);
            }
        }
    }
}
