use super::history::{CallbackHistory, NodeHistory, RunHistory};
use super::metrics::RunMetrics;
use crate::author::value::{Data, Value};
use crate::engine::{NodeState, RunState};
use std::time::Duration;

/// How a run went, be it a simulated or a real one. All times are offsets from the run's start.
#[derive(Debug)]
pub struct RunReport {
    history: RunHistory,
    nodes: Vec<NodeReport>,
    outputs: Vec<Option<Value>>,
    warnings: Vec<String>,
}

/// How one node of a run went.
#[derive(Debug)]
pub struct NodeReport(NodeHistory);

/// Somebody was told something.
#[derive(Debug)]
pub struct CallbackReport<'a>(&'a CallbackHistory);

impl RunReport {
    pub(crate) fn new(history: RunHistory, outputs: Vec<Option<Value>>) -> Self {
        let nodes = history.nodes.iter().cloned().map(NodeReport).collect();
        Self { history, nodes, outputs, warnings: Vec::new() }
    }

    pub(crate) fn warned(self, warnings: impl IntoIterator<Item = String>) -> Self {
        Self { warnings: warnings.into_iter().collect(), ..self }
    }

    /// The run's state; [`RunState::Running`] if it waits for something that never came.
    pub fn state(&self) -> RunState {
        self.history.state
    }

    /// The pipeline's id.
    pub fn pipeline(&self) -> &str {
        self.history.plan().pipeline
    }

    /// When the run ended.
    pub fn finished(&self) -> Option<Duration> {
        self.history.finished
    }

    /// The node of that id, an element's being `upload[3]`.
    ///
    /// # Panics
    ///
    /// If the run has no such node; the message names those it has.
    #[track_caller]
    pub fn node(&self, id: &str) -> &NodeReport {
        match self.history.find(id) {
            Some(slot) => &self.nodes[slot as usize],
            None => panic!("the run has no node `{id}`; its nodes are {}", self.ids()),
        }
    }

    /// All nodes with a body, in wiring order, elements after the plan's own.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeReport> {
        self.nodes.iter().filter(|node| !node.0.is_gate)
    }

    /// The node's output, if it has one and it is a `T`.
    ///
    /// # Panics
    ///
    /// If the run has no such node; the message names those it has.
    #[track_caller]
    pub fn output<T: Data>(&self, id: &str) -> Option<T> {
        let Some(slot) = self.history.find(id) else {
            panic!("the run has no node `{id}`; its nodes are {}", self.ids());
        };
        let mut output = None::<T>;
        self.outputs.get(slot as usize)?.as_ref()?.as_ref().clone_into(&mut output);
        output
    }

    /// Whoever was to be told, in the order in which it became due.
    pub fn callbacks(&self) -> Vec<CallbackReport<'_>> {
        self.history.callbacks.iter().map(CallbackReport).collect()
    }

    /// What the run can be measured by.
    pub fn metrics(&self) -> RunMetrics {
        self.history.metrics()
    }

    /// The run drawn over time, one line a node: what worked, what waited, what was tried again.
    pub fn timeline(&self) -> String {
        self.history.timeline()
    }

    /// What was most likely meant otherwise: in a simulation, a latency or an outage of a bucket that the run never touched.
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

    pub(crate) fn history(&self) -> &RunHistory {
        &self.history
    }

    fn ids(&self) -> String {
        let ids: Vec<String> = self.nodes.iter().map(|node| format!("`{}`", node.id())).collect();
        ids.join(", ")
    }
}

impl NodeReport {
    /// The node's id.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The state it ended in.
    pub fn state(&self) -> NodeState {
        self.0.state
    }

    /// How many attempts it had; all pokes between two errors of a sensor are one attempt.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How often a sensor was poked.
    pub fn pokes(&self) -> usize {
        self.0.poke_times.len()
    }

    /// When a sensor was poked.
    pub fn poke_times(&self) -> &[Duration] {
        &self.0.poke_times
    }

    /// When its first attempt started.
    pub fn started(&self) -> Option<Duration> {
        self.0.started
    }

    /// When it ended.
    pub fn finished(&self) -> Option<Duration> {
        self.0.finished
    }

    /// The last error, with the errors that led to it; none once it succeeded.
    pub fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

impl CallbackReport<'_> {
    /// The callback's name, such as `on_failure`.
    pub fn name(&self) -> &str {
        self.0.event.name()
    }

    /// The node it was about; none where it was about the run.
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// When it became due.
    pub fn at(&self) -> Duration {
        self.0.at
    }

    /// When somebody was told; none if nobody could be.
    pub fn told(&self) -> Option<Duration> {
        self.0.told
    }

    /// How often it was tried.
    pub fn tries(&self) -> u32 {
        self.0.tries
    }

    /// Who was told.
    pub fn notifier(&self) -> &str {
        &self.0.notifier
    }
}
