use super::attempts::Attempt;
use super::{JournalReader, ReadError, RunSummary, date, utc};
use crate::engine::Slot;
use crate::journal::{Reader, StoredRun};
#[cfg(feature = "dashboard")]
use crate::observe::PlanCache;
use crate::observe::{HistoryError, NodeHistory, RunHistory, RunTail};
use crate::{NodeState, Pipeline, RunState};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Everything that a journal knows about a run, as it was when it was read.
#[derive(Debug)]
pub struct RunDetails {
    summary: Arc<RunSummary>,
    tail: RunTail,
}

impl RunDetails {
    pub(super) fn read(reader: &Reader, pipelines: &[Pipeline], run: &StoredRun, until: Option<i64>) -> Result<Self, ReadError> {
        reader.snapshot(|reader| {
            let mut details = Self::begin(pipelines, current_row(reader, run)?)?;
            details.tail = details.tail.up_to(until.unwrap_or(i64::MAX));
            details.tail.catch_up(reader).map_err(|error| details.failed(error))?;
            Ok(details)
        })
    }

    /// Details of a run, with none of its records read yet.
    pub(crate) fn begin(pipelines: &[Pipeline], run: StoredRun) -> Result<Self, ReadError> {
        let tail = RunTail::new(pipeline_of(pipelines, &run), &run);
        Self::with(tail, run)
    }

    /// Like `begin`, for one of several runs.
    #[cfg(feature = "dashboard")]
    pub(crate) fn begin_one_of(pipelines: &[Pipeline], run: StoredRun, plans: &mut PlanCache) -> Result<Self, ReadError> {
        let tail = RunTail::one_of(plans, pipeline_of(pipelines, &run), &run);
        Self::with(tail, run)
    }

    fn with(tail: Result<RunTail, HistoryError>, run: StoredRun) -> Result<Self, ReadError> {
        let tail = tail.map_err(|error| ReadError::of_history(&run.pipeline, &run.run_id, error))?;
        Ok(Self { summary: Arc::new(RunSummary(run)), tail: tail.with_outputs() })
    }

    fn failed(&self, error: HistoryError) -> ReadError {
        ReadError::of_history(self.summary.pipeline(), self.summary.run_id(), error)
    }

    /// Reads what has happened since. Only new records are read.
    ///
    /// # Errors
    ///
    /// If the run was deleted meanwhile, or its records cannot be read.
    pub fn update(&mut self, journal: &JournalReader) -> Result<(), ReadError> {
        self.update_while(journal, |_| true)
    }

    /// Like [`update`](Self::update), in steps. `another` is called after each step and decides whether to take one more; if it
    /// stops early, the details show the run up to that point.
    pub(crate) fn update_while(
        &mut self,
        journal: &JournalReader,
        mut another: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), ReadError> {
        journal.journal().snapshot(|reader| {
            self.summary = Arc::new(RunSummary(current_row(reader, &self.summary.0)?));
            while self.tail.step(reader).map_err(|error| self.failed(error))? && another(self) {}
            let read = self.tail.read_last_record(reader);
            read.map_err(|error| self.failed(error))
        })
    }

    /// The run as a whole.
    pub fn summary(&self) -> &RunSummary {
        &self.summary
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        self.summary.run_id()
    }

    /// The run's state.
    pub fn state(&self) -> RunState {
        self.summary.state()
    }

    /// All nodes with a body, each once, in wiring order, elements after the plan's own nodes. An element that its list no longer
    /// has after a retry is included, as [`Removed`](NodeState::Removed).
    pub fn nodes(&self) -> impl Iterator<Item = NodeDetails<'_>> {
        self.history().listed().into_iter().map(|slot| NodeDetails { history: self.history(), slot })
    }

    /// The node with that id; an element is named `upload[3]`. `None` if the run has no such node.
    pub fn node(&self, id: &str) -> Option<NodeDetails<'_>> {
        let slot = self.history().find(id)?;
        Some(NodeDetails { history: self.history(), slot })
    }

    /// If the pipeline's current plan does not match the run, why. The run is then read with the plan that was stored with it.
    pub fn plan_mismatch(&self) -> Option<String> {
        self.tail.plan_mismatch().map(ToString::to_string)
    }

    /// The ids of nodes that the run lost when a user accepted a plan without them.
    pub fn removed_nodes(&self) -> &[String] {
        self.tail.removed()
    }

    /// The run drawn over time, one line per node: when it worked, waited, and was retried.
    pub fn timeline(&self) -> String {
        self.history().timeline()
    }

    /// The [summary](RunSummary::to_json) as JSON, with all nodes.
    pub fn to_json(&self) -> Value {
        let mut json = self.summary.to_json();
        json["nodes"] = self.nodes().map(|node| node.to_json()).collect();
        json
    }

    pub(crate) fn history(&self) -> &RunHistory {
        self.tail.history()
    }

    /// A copy that is updated separately, up to the record with that number. Both share the parts that neither changes.
    #[cfg(feature = "dashboard")]
    pub(crate) fn share(&mut self, until: i64) -> Self {
        Self { summary: Arc::clone(&self.summary), tail: self.tail.share().up_to(until) }
    }

    /// Limits details that were not read yet to the record with that number.
    #[cfg(feature = "dashboard")]
    pub(crate) fn up_to(self, until: i64) -> Self {
        Self { tail: self.tail.up_to(until), ..self }
    }

    /// Takes over the current state of everything that is not shown as of a record.
    #[cfg(feature = "dashboard")]
    pub(crate) fn follow(&mut self, now: &Self) {
        self.summary = Arc::clone(&now.summary);
        self.tail.take_last_record(&now.tail);
    }

    /// What was read of the run and how much memory that takes, for a cache of details.
    #[cfg(feature = "dashboard")]
    pub(crate) fn tail(&self) -> &RunTail {
        &self.tail
    }

    /// The number of the run's last record, even if these details do not include it.
    pub(crate) fn last_record(&self) -> i64 {
        self.tail.last_record()
    }

    pub(crate) fn has_ended(&self, node: Option<&str>) -> bool {
        self.tail.has_ended(node)
    }
}

fn pipeline_of<'a>(pipelines: &'a [Pipeline], run: &StoredRun) -> Option<&'a Pipeline> {
    pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline)
}

/// The current state of the run.
fn current_row(reader: &Reader, run: &StoredRun) -> Result<StoredRun, ReadError> {
    let deleted = || ReadError::Deleted { pipeline: run.pipeline.clone(), run_id: run.run_id.clone() };
    reader.run_of_key(run.key)?.ok_or_else(deleted)
}

/// What a journal knows about one node of a run.
#[derive(Debug, Clone, Copy)]
pub struct NodeDetails<'a> {
    history: &'a RunHistory,
    slot: Slot,
}

impl<'a> NodeDetails<'a> {
    fn node(&self) -> &'a NodeHistory {
        self.history.node(self.slot)
    }

    fn at(&self, offset: Option<Duration>) -> Option<DateTime<Utc>> {
        offset.map(|offset| utc(self.history.started + offset))
    }

    /// The node's id; an element is named `upload[3]`.
    pub fn id(&self) -> String {
        self.history.id(self.slot)
    }

    /// The node's state.
    pub fn state(&self) -> NodeState {
        self.node().state()
    }

    /// The node's attempts, in order.
    pub fn attempts(&self) -> Vec<Attempt> {
        Attempt::all(self.node(), utc(self.history.started))
    }

    /// How often a sensor was poked, in all attempts together.
    pub fn pokes(&self) -> u32 {
        self.node().pokes()
    }

    /// When the node's first attempt was started; for a node that was retried manually, the first since then.
    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.at(self.node().began())
    }

    /// When the node ended.
    pub fn finished(&self) -> Option<DateTime<Utc>> {
        self.at(self.node().finished_at())
    }

    /// When the node's next attempt or poke is due, if one is.
    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.at(self.node().next())
    }

    /// The last error, followed by the errors that caused it; `None` once the node has succeeded.
    pub fn error(&self) -> Option<&'a str> {
        self.node().error().map(AsRef::as_ref)
    }

    /// Why the node was skipped, if it was.
    pub fn skipped(&self) -> Option<String> {
        self.node().why_skipped().map(|why| self.history.reason(self.slot, why))
    }

    /// The node whose failure made this one `upstream_failed`, if it is.
    pub fn failed_upstream(&self) -> Option<String> {
        let cause = self.history.root_cause(self.slot);
        (self.state() == NodeState::UpstreamFailed && cause != self.slot).then(|| self.history.id(cause))
    }

    /// The node's output, read as a `T`, which may be its own type or `serde_json::Value`. `None` if the node has not succeeded,
    /// or if it returned a plain value, which is not stored.
    ///
    /// # Errors
    ///
    /// If the output cannot be read as a `T`.
    pub fn output<T: DeserializeOwned>(&self) -> Result<Option<T>, ReadError> {
        let Some(json) = self.node().output() else { return Ok(None) };
        let (node, type_name) = (self.id(), std::any::type_name::<T>());
        serde_json::from_slice(json).map(Some).map_err(|error| ReadError::Output { node, type_name, error })
    }

    /// The node as JSON.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "node": self.id(),
            "state": self.state(),
            "attempts": self.attempts().iter().map(Attempt::to_json).collect::<Vec<_>>(),
            "pokes": self.pokes(),
            "started": self.started().map(date),
            "finished": self.finished().map(date),
            "next": self.next().map(date),
            "error": self.error(),
            "skipped": self.skipped(),
            "failed_upstream": self.failed_upstream(),
            // What was stored is JSON.
            "output": self.output::<Value>().ok().flatten(),
        })
    }
}
