//! Translates what the engine records of a node into what Airflow is sent.

use super::super::rule::from_outside;
use super::TaskError;
use super::ended::Ended;
use super::whole::{Elements, Within};
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
const KEPT_EVERY: Duration = Duration::from_secs(30);

/// The outcome of a node for this process.
#[derive(Debug)]
pub(super) enum NodeEnd {
    /// With its output as JSON.
    Success(Arc<[u8]>),
    /// A mapping's list has this length.
    Expanded(ListSummary),
    /// All elements of a mapping that is one task have ended as recorded. The second value is a failure that fails the task, if
    /// there is one.
    Elements(Elements, Option<Ended>),
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

/// A run of an engine, and the records that are received from it.
#[derive(Debug)]
pub(super) struct Heard {
    engine: Engine,
    ix: RunIx,
    told: UnboundedReceiver<Entry>,
}

impl Heard {
    pub(super) fn new(engine: Engine, ix: RunIx, told: UnboundedReceiver<Entry>) -> Self {
        Self { engine, ix, told }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Run) -> T) -> Option<T> {
        self.engine.look(self.ix, look)
    }

    /// Waits for the outcome of a node. `keep` stores its progress.
    pub(super) async fn end_of<K: Future<Output = Result<(), TaskError>>>(
        &mut self,
        slot: Slot,
        is_whole: bool,
        keep: impl Fn(Earlier) -> K,
    ) -> Result<NodeEnd, TaskError> {
        let mode = self.ready(slot, is_whole)?;
        let mut kept_at: Option<Timestamp> = None;
        let mut within = Within::default();
        while let Some(entry) = self.told.recv().await {
            if is_whole {
                self.look(|run| within.hear(&entry, run));
            }
            let Entry { at, record } = entry;
            if record.slot() != Some(slot) {
                continue;
            }
            match record {
                Record::Unfolded { .. } if is_whole => {}
                // Once the mapping has elements, its own end follows from theirs.
                Record::Succeeded { .. } | Record::Skipped { .. } | Record::UpstreamFailed { .. }
                    if is_whole && self.look(|run| run.expansion_of(slot)).flatten().is_some() =>
                {
                    let (elements, failed) = self.look(|run| within.ended(run, slot)).unwrap_or_default();
                    return Ok(NodeEnd::Elements(elements, failed));
                }
                Record::Started { .. } if mode.is_some() && kept_at.is_none() => {
                    // The budget starts now, whatever happens to this process.
                    kept_at = Some(at);
                    let earlier = self.look(|run| run.earlier(slot));
                    if let Some(earlier) = earlier {
                        keep(Earlier { next: None, ..earlier }).await?;
                    }
                }
                Record::NotYet { next, .. } => {
                    let now = self.engine.clock().now();
                    let leaves = mode == Some(Mode::Reschedule) && next.since(now) >= IN_PLACE;
                    if !leaves && kept_at.is_some_and(|kept| now.since(kept) < KEPT_EVERY) {
                        continue;
                    }
                    kept_at = Some(now);
                    if let Some(earlier) = self.look(|run| run.earlier(slot)) {
                        keep(Earlier { next: Some(next.as_nanos()), ..earlier }).await?;
                    }
                    if leaves {
                        return Ok(NodeEnd::Later(next));
                    }
                }
                Record::Retrying { next, error, memory, .. } => {
                    if (mode.is_some() || memory.is_some())
                        && let Some(earlier) = self.look(|run| run.earlier(slot))
                    {
                        keep(earlier).await?;
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
        self.look(|run| why.reason(|slot| run.id(slot))).unwrap_or_default()
    }

    /// Returns the mode of a node that is a sensor.
    ///
    /// # Errors
    ///
    /// If the node cannot run, because Airflow started it too early.
    fn ready(&self, slot: Slot, is_whole: bool) -> Result<Option<Mode>, TaskError> {
        let (mode, is_stuck) = self
            .look(|run| {
                let mode = run.plan().policy(run.ix(slot)).sensor.as_ref().map(|sensor| sensor.mode);
                let has_ended = |from: &NodeIx| run.node(run.seen_from(slot, *from)).state().is_end();
                let waits = is_whole && !from_outside(run.plan(), run.ix(slot)).iter().all(|(from, _)| has_ended(from));
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
    pub(super) async fn end_of_run(&mut self, untold: &[Slot]) -> Result<(RunState, Option<String>), TaskError> {
        // Their processes died before they could call the callbacks.
        self.engine.notify_failures(self.ix, untold);
        // A node that Airflow has skipped or failed by its own rule, and the engine would not have, was changed manually.
        while let Some(node) = self.look(open_body).flatten() {
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
        Ok((state, self.look(failed).flatten()))
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
