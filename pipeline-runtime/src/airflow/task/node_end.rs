//! The outcome of a node for this process, derived from the records that the engine writes about it.

use super::super::rule::outside_edges;
use super::TaskError;
use super::end_report::EndReport;
use super::mapping_task::{ElementRecords, Elements};
use crate::RunState;
use crate::author::keys::ListSummary;
use crate::author::options::Mode;
use crate::engine::{Earlier, Edit, Engine, Entry, NodeState, Record, Run, RunIx, Skip, Slot};
use crate::plan::NodeIx;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// A sensor whose next poke is due sooner keeps its process. Airflow's scheduler takes a second or more to start one, and a poke
/// that is due before Airflow has noticed the end of the previous one uses up a try (apache/airflow#71172).
const IN_PLACE: Duration = Duration::from_secs(5);

/// How often a sensor that keeps its process stores its progress in Airflow.
const STORE_EVERY: Duration = Duration::from_secs(30);

/// The outcome of a node for this process.
#[derive(Debug)]
pub(super) enum NodeEnd {
    /// With its output as JSON.
    Success(Arc<[u8]>),
    /// A mapping's list has this length.
    Expanded(ListSummary),
    /// All elements of a mapping that is one task have ended as recorded. The second value is a failure that fails the task, if
    /// there is one.
    Elements(Elements, Option<EndReport>),
    Failed(Arc<str>),
    UpstreamFailed,
    Skipped(String),
    /// The next attempt is due after this delay.
    Retry {
        after: Duration,
        error: Arc<str>,
    },
    /// The next poke is due at this time, in another process.
    Later(Timestamp),
}

/// Receives the records of a run that an engine executes.
#[derive(Debug)]
pub(super) struct RecordReceiver {
    engine: Engine,
    ix: RunIx,
    records: UnboundedReceiver<Entry>,
}

impl RecordReceiver {
    pub(super) fn new(engine: Engine, ix: RunIx, records: UnboundedReceiver<Entry>) -> Self {
        Self { engine, ix, records }
    }

    /// Passes the run to `read`. Returns `None` once the engine no longer has it.
    pub(super) fn with_run<T>(&self, read: impl FnOnce(&Run) -> T) -> Option<T> {
        self.engine.look(self.ix, read)
    }

    /// Waits for the outcome of a node. `store` stores its progress.
    pub(super) async fn end_of<K: Future<Output = Result<(), TaskError>>>(
        &mut self,
        slot: Slot,
        is_whole: bool,
        store: impl Fn(Earlier) -> K,
    ) -> Result<NodeEnd, TaskError> {
        let mode = self.check_ready(slot, is_whole)?;
        let mut stored_at: Option<Timestamp> = None;
        let mut elements = ElementRecords::default();
        while let Some(entry) = self.records.recv().await {
            if is_whole {
                self.with_run(|run| elements.apply(&entry, run));
            }
            let Entry { at, record } = entry;
            if record.slot() != Some(slot) {
                continue;
            }
            match record {
                Record::Unfolded { .. } if is_whole => {}
                // Once the mapping has elements, its own end follows from theirs.
                Record::Succeeded { .. } | Record::Skipped { .. } | Record::UpstreamFailed { .. }
                    if is_whole && self.with_run(|run| run.expansion_of(slot)).flatten().is_some() =>
                {
                    let (elements, failed) = self.with_run(|run| elements.finish(run, slot)).unwrap_or_default();
                    return Ok(NodeEnd::Elements(elements, failed));
                }
                Record::Started { .. } if mode.is_some() && stored_at.is_none() => {
                    // The budget starts now, whatever happens to this process.
                    stored_at = Some(at);
                    let earlier = self.with_run(|run| run.earlier(slot));
                    if let Some(earlier) = earlier {
                        store(Earlier { next: None, ..earlier }).await?;
                    }
                }
                Record::NotYet { next, .. } => {
                    let now = self.engine.clock().now();
                    let leaves = mode == Some(Mode::Reschedule) && next.since(now) >= IN_PLACE;
                    if !leaves && stored_at.is_some_and(|stored| now.since(stored) < STORE_EVERY) {
                        continue;
                    }
                    stored_at = Some(now);
                    if let Some(earlier) = self.with_run(|run| run.earlier(slot)) {
                        store(Earlier { next: Some(next.as_nanos()), ..earlier }).await?;
                    }
                    if leaves {
                        return Ok(NodeEnd::Later(next));
                    }
                }
                Record::Retrying { next, error, memory, .. } => {
                    if (mode.is_some() || memory.is_some())
                        && let Some(earlier) = self.with_run(|run| run.earlier(slot))
                    {
                        store(earlier).await?;
                    }
                    return Ok(NodeEnd::Retry { after: next.since(at), error });
                }
                Record::Succeeded { output, .. } => {
                    let json = output.and_then(|output| output.json);
                    return json.map(NodeEnd::Success).ok_or_else(|| TaskError::Fatal("its output was not encoded".to_owned()));
                }
                Record::Unfolded { width, keys, .. } => return Ok(NodeEnd::Expanded(ListSummary { len: width as usize, keys })),
                Record::Failed { error, .. } => return Ok(NodeEnd::Failed(error)),
                Record::UpstreamFailed { .. } => return Ok(NodeEnd::UpstreamFailed),
                Record::Skipped { why, .. } => {
                    return Ok(NodeEnd::Skipped(self.reason(&why)));
                }
                _ => {}
            }
        }
        Err(TaskError::Failed("the engine ended before its node".to_owned()))
    }

    fn reason(&self, why: &Skip) -> String {
        self.with_run(|run| why.reason(|slot| run.id(slot))).unwrap_or_default()
    }

    /// Returns the mode of a node that is a sensor.
    ///
    /// # Errors
    ///
    /// If the node cannot run, because Airflow started it too early.
    fn check_ready(&self, slot: Slot, is_whole: bool) -> Result<Option<Mode>, TaskError> {
        let (mode, is_stuck) = self
            .with_run(|run| {
                let mode = run.plan().policy(run.ix(slot)).sensor.as_ref().map(|sensor| sensor.mode);
                let has_ended = |from: &NodeIx| run.node(run.seen_from(slot, *from)).state().is_end();
                let waits = is_whole && !outside_edges(run.plan(), run.ix(slot)).iter().all(|(from, _)| has_ended(from));
                (mode, (run.node(slot).state() == NodeState::None || waits).then(|| run.id(slot)))
            })
            .unwrap_or((None, None));
        if let Some(id) = is_stuck {
            let why = "Airflow started it before its upstream nodes reached the required states";
            return Err(TaskError::Fatal(format!("`{id}` cannot run: {why}: clear it together with everything upstream")));
        }
        Ok(mode)
    }

    /// Waits for the end of the run, and returns the failed nodes.
    pub(super) async fn end_of_run(&mut self, unnotified: &[Slot]) -> Result<(RunState, Option<String>), TaskError> {
        // Their processes died before they could call the callbacks.
        self.engine.notify_failures(self.ix, unnotified);
        // A node that Airflow has skipped or failed by its own rule, and the engine would not have, was changed manually.
        while let Some(node) = self.with_run(open_body).flatten() {
            let skipped = self.engine.edit(self.ix, &Edit::Skip { node });
            skipped.map_err(|error| TaskError::Fatal(error.to_string()))?;
        }
        let state = self.engine.ended(self.ix).await;
        let failed = |run: &Run| {
            let error = |slot: Slot| run.node(slot).failure().map_or("unknown", |failure| failure.error()).to_owned();
            let failed = run.slots().filter(|slot| run.node(*slot).state() == NodeState::Failed);
            let failed: Vec<String> = failed.map(|slot| format!("`{}` failed: {}", run.id(slot), error(slot))).collect();
            (!failed.is_empty()).then(|| failed.join("; "))
        };
        Ok((state, self.with_run(failed).flatten()))
    }
}

/// Returns a node that has not ended and that this process never runs.
fn open_body(run: &Run) -> Option<String> {
    if run.state().is_end() {
        return None;
    }
    let open = run.slots().find(|slot| run.is_body(*slot) && !run.node(*slot).state().is_end());
    open.map(|slot| run.id(slot))
}
