use super::history::{CallbackHistory, RunHistory};
use super::metrics::RunMetrics;
use crate::author::value::{Data, Value};
use crate::engine::{NodeState, RunState, Slot};
use std::any::TypeId;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How a run went, be it a simulated or a real one. All times are offsets from the run's start.
#[derive(Debug)]
pub struct RunReport {
    history: RunHistory,
    /// By slot; made when somebody asks, as of a million nodes most never do.
    nodes: OnceLock<Vec<NodeReport>>,
    outputs: Vec<Option<Value>>,
    warnings: Vec<String>,
    begun: Vec<Self>,
}

/// How one node of a run went.
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

/// Somebody was told something.
#[derive(Debug)]
pub struct CallbackReport<'a>(&'a CallbackHistory);

impl RunReport {
    pub(crate) fn new(history: RunHistory, outputs: Vec<Option<Value>>) -> Self {
        Self { history, nodes: OnceLock::new(), outputs, warnings: Vec::new(), begun: Vec::new() }
    }

    pub(crate) fn warned(self, warnings: impl IntoIterator<Item = String>) -> Self {
        Self { warnings: warnings.into_iter().collect(), ..self }
    }

    pub(crate) fn with_begun(self, begun: Vec<Self>) -> Self {
        Self { begun, ..self }
    }

    /// The runs of other pipelines that updates of assets began, in the order in which they began: those of a simulation with pipelines
    /// [beside](crate::Simulation::beside) it. Their times count from the simulation's start, too.
    pub fn begun(&self) -> &[Self] {
        &self.begun
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
            Some(slot) => &self.by_slot()[slot as usize],
            None => panic!("the run has no node `{id}`; its nodes are {}", self.ids()),
        }
    }

    /// All nodes with a body, each once, in wiring order, elements after the plan's own. An element that its list no longer has after a retry
    /// is among them, as [`Removed`](NodeState::Removed).
    pub fn nodes(&self) -> impl Iterator<Item = &NodeReport> {
        self.history.listed().into_iter().map(|slot| &self.by_slot()[slot as usize])
    }

    fn by_slot(&self) -> &[NodeReport] {
        self.nodes.get_or_init(|| (0..).take(self.history.len()).map(|slot| NodeReport::of(&self.history, slot)).collect())
    }

    /// The node's output, if it has one.
    ///
    /// # Panics
    ///
    /// If the run has no such node; the message names those it has. If the node's output is no `T`; the message names both types.
    #[track_caller]
    pub fn output<T: Data>(&self, id: &str) -> Option<T> {
        let Some(slot) = self.history.find(id) else {
            panic!("the run has no node `{id}`; its nodes are {}", self.ids());
        };
        let asked = std::any::type_name::<T>();
        // Known of a task, whether it has an output or not.
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

    /// Whoever was to be told, in the order in which it became due. Of a run that was not simulated the last 1,000 are kept, and those whom
    /// nobody has told yet.
    pub fn callbacks(&self) -> Vec<CallbackReport<'_>> {
        self.history.callbacks.iter().map(CallbackReport).collect()
    }

    /// What the run can be measured by.
    pub fn metrics(&self) -> RunMetrics {
        self.history.metrics()
    }

    /// The run drawn over time, one line a node: what worked, what waited, what was tried again.
    ///
    /// Of a run that was not simulated the last of what a node did is drawn as it was: its last 32 pokes or attempts, where the run has at
    /// most 1,000 nodes, else 2, and its last 16 failures. What was before that is drawn at equal distances.
    ///
    /// Below it stand the [warnings](Self::warnings) of a simulation.
    pub fn timeline(&self) -> String {
        let warnings = self.warnings.iter().map(|warning| format!("\nwarning: {warning}"));
        self.history.timeline() + &warnings.collect::<String>()
    }

    /// What was most likely meant otherwise: in a simulation, a latency, an outage or an arrival in a bucket that the run never touched, and
    /// a failure of an attempt that never came. Where the run did not succeed, also runs and updates that it needed and that the simulation was not told of.
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

    /// The node's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The state it ended in.
    pub fn state(&self) -> NodeState {
        self.state
    }

    /// How many attempts it had; all pokes between two errors of a sensor are one attempt.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How often a sensor was poked.
    pub fn pokes(&self) -> usize {
        self.pokes as usize
    }

    /// When a sensor was poked: all pokes of a simulation, the last of a run that was not simulated. Of those a run of at most 1,000 nodes
    /// keeps 32 a sensor, one of more nodes 2.
    pub fn poke_times(&self) -> &[Duration] {
        &self.poke_times
    }

    /// When its first attempt started.
    pub fn started(&self) -> Option<Duration> {
        self.started
    }

    /// When it ended.
    pub fn finished(&self) -> Option<Duration> {
        self.finished
    }

    /// The last error, with the errors that led to it; none once it succeeded.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
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
