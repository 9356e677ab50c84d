//! The result of a run, for tests and for the program that ran it.

use super::history::{CallbackHistory, RunHistory};
use super::metrics::RunMetrics;
use crate::author::value::{Data, Value};
use crate::engine::{NodeState, RunState, Slot};
use std::any::TypeId;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The result of a run, simulated or real. All times are offsets from the run's start.
#[derive(Debug)]
pub struct RunReport {
    history: RunHistory,
    /// By slot; built on demand, since most of a million nodes are never requested.
    nodes: OnceLock<Vec<NodeReport>>,
    outputs: Vec<Option<Value>>,
    warnings: Vec<String>,
    begun: Vec<Self>,
}

/// The result of one node of a run.
#[derive(Debug)]
pub struct NodeReport {
    id: String,
    state: NodeState,
    attempts: u32,
    pokes: u32,
    poke_times: Vec<Duration>,
    started: Option<Duration>,
    finished: Option<Duration>,
    error: Option<Arc<str>>,
}

/// A callback of a run.
#[derive(Debug)]
pub struct CallbackReport<'a>(&'a CallbackHistory);

impl RunReport {
    pub(crate) fn new(history: RunHistory, outputs: Vec<Option<Value>>) -> Self {
        Self { history, nodes: OnceLock::new(), outputs, warnings: Vec::new(), begun: Vec::new() }
    }

    pub(crate) fn with_warnings(self, warnings: impl IntoIterator<Item = String>) -> Self {
        Self { warnings: warnings.into_iter().collect(), ..self }
    }

    pub(crate) fn with_begun(self, begun: Vec<Self>) -> Self {
        Self { begun, ..self }
    }

    /// Returns the runs of other pipelines that were started by updates of assets, in order of their start: those of a simulation
    /// with pipelines [beside](crate::Simulation::beside) it. Their times also count from the simulation's start.
    pub fn begun(&self) -> &[Self] {
        &self.begun
    }

    /// Returns the run's state; [`RunState::Running`] if it waits for something that never arrived.
    pub fn state(&self) -> RunState {
        self.history.state
    }

    /// Returns the pipeline's id.
    pub fn pipeline(&self) -> &str {
        self.history.plan().pipeline
    }

    /// Returns when the run ended.
    pub fn finished(&self) -> Option<Duration> {
        self.history.finished
    }

    /// Returns the node with that id; `upload[3]` for an element of a mapping.
    ///
    /// # Panics
    ///
    /// If the run has no such node; the message names its nodes.
    #[track_caller]
    pub fn node(&self, id: &str) -> &NodeReport {
        match self.history.find(id) {
            Some(slot) => &self.by_slot()[slot as usize],
            None => panic!("the run has no node `{id}`; its nodes are {}", self.ids()),
        }
    }

    /// Returns all nodes with a body, each once, in wiring order, elements after the plan's own nodes. Elements that are no
    /// longer in their list after a retry are included, as [`Removed`](NodeState::Removed).
    pub fn nodes(&self) -> impl Iterator<Item = &NodeReport> {
        self.history.listed().into_iter().map(|slot| &self.by_slot()[slot as usize])
    }

    fn by_slot(&self) -> &[NodeReport] {
        self.nodes.get_or_init(|| (0..).take(self.history.len()).map(|slot| NodeReport::of(&self.history, slot)).collect())
    }

    /// Returns the node's output, if it has one.
    ///
    /// # Panics
    ///
    /// If the run has no such node; the message names its nodes. If the node's output is not a `T`; the message names both types.
    #[track_caller]
    pub fn output<T: Data>(&self, id: &str) -> Option<T> {
        let Some(slot) = self.history.find(id) else {
            panic!("the run has no node `{id}`; its nodes are {}", self.ids());
        };
        let asked = std::any::type_name::<T>();
        // A task's type is known whether it has an output or not.
        if let Some(codec) = self.history.codec(slot)
            && (codec.type_id)() != TypeId::of::<T>()
        {
            panic!("the output of `{id}` is a `{}`, and not a `{asked}`", (codec.type_name)());
        }
        let value = self.outputs.get(slot as usize)?.as_ref()?;
        let mut output = None::<T>;
        assert!(value.as_ref().clone_into(&mut output), "the output of `{id}` is not a `{asked}`");
        output
    }

    /// Returns the callbacks, in the order in which they became due. For a run that was not simulated only the last 1,000 are
    /// stored, and all pending ones.
    pub fn callbacks(&self) -> Vec<CallbackReport<'_>> {
        self.history.callbacks.iter().map(CallbackReport).collect()
    }

    /// Returns the metrics of the run.
    pub fn metrics(&self) -> RunMetrics {
        self.history.metrics()
    }

    /// Draws the run over time, one line per node: work, waits, and retries.
    ///
    /// For a run that was not simulated, only the end of a node's activity is drawn exactly: its last 32 pokes or attempts if the
    /// run has at most 1,000 nodes, else 2, and its last 16 failures. Earlier ones are drawn at equal distances.
    ///
    /// The [warnings](Self::warnings) of a simulation follow below.
    pub fn timeline(&self) -> String {
        let warnings = self.warnings.iter().map(|warning| format!("\nwarning: {warning}"));
        self.history.timeline() + &warnings.collect::<String>()
    }

    /// Returns warnings about likely mistakes: in a simulation, a latency, an outage or an arrival in a bucket that the run never
    /// used, and a failure of an attempt that never started. If the run did not succeed, also runs and updates that it needed and
    /// that the simulation was not given.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Simulation;
    /// use pipeline_runtime::sensors::key_exists;
    ///
    /// #[pipeline]
    /// fn nightly() -> Result<()> {
    ///     key_exists(Bucket::open("memory://data")?, "export.json");
    ///     Ok(())
    /// }
    ///
    /// let report = Simulation::new(nightly()).arrive("7m", "memory://data/export.json", "{}").latency("memory://dta", "2s").run();
    /// assert_eq!(report.warnings(), ["nothing met the latency or outage of memory://dta: the run touched memory://data alone"]);
    /// ```
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    #[cfg(test)]
    pub(crate) fn value(&self, slot: Slot) -> Option<&Value> {
        self.outputs.get(slot as usize)?.as_ref()
    }

    pub(crate) fn history(&self) -> &RunHistory {
        &self.history
    }

    fn ids(&self) -> String {
        let ids: Vec<String> = self.history.slots().into_iter().map(|slot| format!("`{}`", self.history.id(slot))).collect();
        ids.join(", ")
    }
}

impl NodeReport {
    fn of(history: &RunHistory, slot: Slot) -> Self {
        let node = history.node(slot);
        Self {
            id: history.id(slot),
            state: node.state(),
            attempts: node.attempts(),
            pokes: node.pokes(),
            poke_times: if history.is_sensor(slot) { node.poke_times() } else { Vec::new() },
            started: node.began(),
            finished: node.finished_at(),
            error: node.error().cloned(),
        }
    }

    /// Returns the node's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the state in which it ended.
    pub fn state(&self) -> NodeState {
        self.state
    }

    /// Returns the number of attempts; all pokes between two errors of a sensor are one attempt.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns how often a sensor was poked.
    pub fn pokes(&self) -> usize {
        self.pokes as usize
    }

    /// Returns when a sensor was poked: all pokes of a simulation, but only the last ones of a run that was not simulated. A run
    /// of at most 1,000 nodes stores 32 per sensor, a larger one 2.
    pub fn poke_times(&self) -> &[Duration] {
        &self.poke_times
    }

    /// Returns when its first attempt started.
    pub fn started(&self) -> Option<Duration> {
        self.started
    }

    /// Returns when it ended.
    pub fn finished(&self) -> Option<Duration> {
        self.finished
    }

    /// Returns the last error, with the errors that caused it; `None` once it succeeded.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

impl CallbackReport<'_> {
    /// Returns the callback's name, such as `on_failure`.
    pub fn name(&self) -> &str {
        self.0.event.name()
    }

    /// Returns the node that it was about; `None` if it was about the run.
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// Returns when it became due.
    pub fn at(&self) -> Duration {
        self.0.at
    }

    /// Returns when it was delivered; `None` if it was not.
    pub fn told(&self) -> Option<Duration> {
        self.0.delivered_at
    }

    /// Returns the number of deliveries that were tried.
    pub fn tries(&self) -> u32 {
        self.0.tries
    }

    /// Returns the notifier.
    pub fn notifier(&self) -> &str {
        &self.0.notifier
    }
}
