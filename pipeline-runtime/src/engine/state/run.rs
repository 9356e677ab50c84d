use super::super::ids::{RunKey, Slot};
use super::super::log::{Entry, Record, Skip};
use super::super::states::{NodeState, RunState};
use super::callbacks::Callbacks;
use super::cancelled::{NodeAtCancel, ends_open_nodes};
use super::changes::{Changes, IgnoreChanges};
use super::holding::Hold;
use super::layout::{ExpansionIx, Layout, Position};
use super::legal::Illegal;
use super::mapping::Mapping;
use super::node::{Cut, Node, unknown_failure};
use crate::author::context::RunInfo;
use crate::author::input::Upstream;
use crate::author::options::Mode;
use crate::author::outcome::Failure;
use crate::author::value::Value;
use crate::plan::{NodeIx, Plan, ScopeIx, What};
use crate::time::{Moment, Timestamp};
use std::sync::Arc;

/// What a run is started with.
#[derive(Debug, Clone)]
pub(crate) struct RunSpec {
    pub(crate) plan: Arc<Plan>,
    pub(crate) info: Arc<RunInfo>,
    /// What the SLAs count from.
    pub(crate) sla_from: Timestamp,
    /// The seed of all randomness in the run.
    pub(crate) seed: u64,
    /// The run's number in its journal.
    pub(crate) key: RunKey,
}

/// One run's state.
///
/// Invariant: it is a function of the plan, the time of the run's start, and its records in order.
#[derive(Debug)]
pub(crate) struct Run {
    pub(super) spec: Arc<RunSpec>,
    pub(super) state: RunState,
    /// The state in which the run is to end once its teardowns have run.
    pub(super) ending: Option<RunState>,
    pub(super) started: Timestamp,
    /// When the run was last retried after its end. Its limits count from then.
    pub(super) reopened: Option<Timestamp>,
    pub(super) layout: Layout,
    pub(super) nodes: Vec<Node>,
    /// The progress of each mapping's elements, by expansion. The plan's own entry is empty.
    pub(super) mappings: Vec<Mapping>,
    /// Nodes that have not ended.
    pub(super) open: usize,
    /// Nodes that failed, or that the run's end cut off, without being allowed to fail.
    pub(super) failures: usize,
    /// Nodes that no longer want their inputs: winners of races, nodes that were cut off, and skipped gates.
    pub(super) unwanting: usize,
    pub(super) callbacks: Callbacks,
    /// The progress of each group that holds locks.
    pub(super) holds: Box<[Hold]>,
}

impl Run {
    /// A run that nothing has happened to.
    pub(crate) fn new(spec: RunSpec, now: Timestamp) -> Self {
        let layout = Layout::new(&spec.plan);
        let plan = &spec.plan;
        let node = |ix| {
            let waits = plan.node(ix).needs;
            Node { state: if waits == 0 { NodeState::Scheduled } else { NodeState::None }, ..Node::new(plan, ix, waits) }
        };
        let nodes: Vec<Node> = plan.scope(0).nodes.iter().map(|&ix| node(ix)).collect();
        Self {
            open: nodes.len(),
            state: RunState::Running,
            ending: None,
            started: now,
            reopened: None,
            layout,
            nodes,
            mappings: vec![Mapping::default()],
            failures: 0,
            unwanting: 0,
            callbacks: Callbacks::default(),
            holds: super::holding::of_plan(plan),
            spec: Arc::new(spec),
        }
    }

    /// Rebuilds a run from its records. Something else may have written to the journal, so each record is checked against those
    /// before it.
    pub(crate) fn replay(spec: RunSpec, started: Timestamp, entries: &[Entry]) -> Result<Self, Illegal> {
        let mut run = Self::new(spec, started);
        for entry in entries {
            run.write_down(entry)?;
        }
        Ok(run)
    }

    /// Applies a record that comes from elsewhere, if it may follow those before it.
    pub(crate) fn write_down(&mut self, entry: &Entry) -> Result<(), Illegal> {
        self.check(&entry.record)?;
        self.apply(entry, &mut IgnoreChanges);
        Ok(())
    }

    /// Applies a record to the state.
    pub(crate) fn apply(&mut self, entry: &Entry, changes: &mut impl Changes) {
        let at = entry.at;
        match &entry.record {
            Record::Started { slot, attempt } => self.node_started(*slot, *attempt, at),
            Record::NotYet { slot, next, memory } => self.not_yet(*slot, *next, memory.as_ref()),
            Record::Retrying { slot, next, renew, memory, error: _ } => self.retrying(*slot, *next, *renew, memory.as_ref()),
            Record::Interrupted { slot, asked } => self.interrupted(*slot, *asked, changes),
            Record::Unfolded { slot, width, keys } => self.expanded(*slot, *width, keys.clone(), changes),
            Record::Succeeded { slot, output: Some(output) } => self.succeeded(*slot, &output.value, changes),
            Record::Succeeded { slot, output: None } => self.gate_succeeded(*slot, changes),
            Record::Failed { slot, error, timed_out: _ } => self.failed(*slot, error, changes),
            Record::Skipped { slot, why } => self.skipped(*slot, why, changes),
            Record::UpstreamFailed { slot, cause } => self.upstream_failed(*slot, *cause, changes),
            Record::Cleared { slots } => self.cleared(slots, at, changes),
            Record::Ending { state } => self.ending = Some(*state),
            Record::RunEnded { state } => self.run_ended(*state, changes),
            Record::CallbackDue { .. } | Record::CallbackTold { .. } | Record::CallbackFailed { .. } => {
                self.callbacks.apply(entry);
            }
        }
    }

    // ---- what it is

    #[inline]
    pub(crate) fn spec(&self) -> &Arc<RunSpec> {
        &self.spec
    }

    #[inline]
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.spec.plan
    }

    #[inline]
    pub(crate) fn state(&self) -> RunState {
        self.state
    }

    pub(crate) fn started(&self) -> Timestamp {
        self.started
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// When the run started. A retry after its end starts another life, and then this is the time of that retry.
    pub(crate) fn began(&self) -> Timestamp {
        self.reopened.unwrap_or(self.started)
    }

    pub(crate) fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// True if the run has ended and has no callback left to deliver.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_end() && self.callbacks.is_empty()
    }

    /// Nodes that have not ended.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Nodes that failed, or that the run's end cut off, without being allowed to fail.
    pub(crate) fn failures(&self) -> usize {
        self.failures
    }

    /// All nodes, by slot.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All slots.
    pub(crate) fn slots(&self) -> std::ops::Range<Slot> {
        0..index(self.nodes.len())
    }

    #[inline]
    pub(crate) fn node(&self, slot: Slot) -> &Node {
        &self.nodes[slot as usize]
    }

    #[inline]
    pub(super) fn node_mut(&mut self, slot: Slot) -> &mut Node {
        &mut self.nodes[slot as usize]
    }

    #[inline]
    pub(crate) fn ix(&self, slot: Slot) -> NodeIx {
        self.node(slot).ix
    }

    #[inline]
    pub(crate) fn what(&self, slot: Slot) -> &What {
        &self.spec.plan.node(self.ix(slot)).what
    }

    #[inline]
    pub(crate) fn is_body(&self, slot: Slot) -> bool {
        let node = self.node(slot);
        node.is_plain || self.spec.plan.node(node.ix).is_body()
    }

    pub(crate) fn id(&self, slot: Slot) -> String {
        self.layout.id(&self.spec.plan, slot)
    }

    /// The slot of `node` as seen from another slot: in the same element, or in one around it.
    pub(crate) fn seen_from(&self, slot: Slot, node: NodeIx) -> Slot {
        self.layout.resolve(&self.spec.plan, node, self.layout.position(slot))
    }

    /// When the run's timeout expires.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        Some(self.began() + self.plan().run.timeout?)
    }

    /// What the run's SLA and ladder count from.
    pub(crate) fn sla_from(&self) -> Timestamp {
        self.reopened.unwrap_or(self.spec.sla_from)
    }

    /// When a node's SLA expires, if it has one.
    pub(crate) fn node_sla(&self, slot: Slot) -> Option<Timestamp> {
        let sla = self.plan().policy(self.ix(slot)).sla?;
        Some(self.node(slot).sla_from().unwrap_or_else(|| self.sla_from()) + sla)
    }

    /// Returns how a node ended, for a node that takes its output.
    #[inline]
    pub(crate) fn upstream(&self, slot: Slot) -> Upstream {
        let node = self.node(slot);
        match (node.state, node.value()) {
            (NodeState::Success, Some(value)) => Upstream::Success(value.clone()),
            (NodeState::Failed | NodeState::UpstreamFailed, _) => {
                Upstream::Failed(Box::new(node.failure().cloned().unwrap_or_else(|| unknown_failure(self.id(slot)))))
            }
            _ => Upstream::Skipped,
        }
    }

    /// [`upstream`](Self::upstream), for a node that may take only a part of the output.
    #[inline]
    pub(crate) fn upstream_part(&self, slot: Slot, part: Option<u32>) -> Upstream {
        match part {
            None => self.upstream(slot),
            Some(part) => self.part_of_upstream(slot, part),
        }
    }

    #[cold]
    fn part_of_upstream(&self, slot: Slot, part: u32) -> Upstream {
        match self.upstream(slot) {
            Upstream::Success(whole) => Upstream::Success(self.plan().part(whole, Some(part))),
            upstream => upstream,
        }
    }

    /// True if a failure of the node counts.
    pub(super) fn counts(&self, node: NodeIx) -> bool {
        self.counts_within(node, None)
    }

    /// True if a failure counts for an element of a mapping of that scope; with `None`, for the run.
    pub(super) fn counts_within(&self, node: NodeIx, scope: Option<ScopeIx>) -> bool {
        self.plan().counts_within(node, scope)
    }

    /// Returns the node that won a race, if one has.
    pub(crate) fn winner(&self, slot: Slot) -> Option<Slot> {
        let What::FirstOf { from } = self.what(slot) else { return None };
        let mut runners = from.iter().map(|&node| self.seen_from(slot, node));
        runners.find(|&runner| self.node(runner).state == NodeState::Success)
    }

    // ---- what happens to a node

    #[inline]
    pub(crate) fn node_started(&mut self, slot: Slot, attempt: u32, at: Timestamp) {
        let is_sensor = !self.node(slot).is_plain && self.plan().policy(self.ix(slot)).sensor.is_some();
        let node = self.node_mut(slot);
        // Under an older plan the node may have begun before what it waits for now. It no longer waits for that.
        node.waits = 0;
        node.state = NodeState::Running;
        node.starts += 1;
        node.first_start.get_or_insert(at);
        // A task's first attempt needs no memory beyond this.
        if attempt > 1 || is_sensor || node.more.is_some() {
            let more = node.more();
            more.attempt = attempt;
            more.last_start = at.into();
            // Only a change starts a poke before it is due.
            more.tick = more.next.take().filter(|next| at < *next).into();
            if is_sensor {
                more.budget_from.get_or_insert(at);
                more.pokes += 1;
                more.pokes_in_budget += u32::from(more.tick == Moment::NONE);
            }
        }
        if self.has_locks() {
            self.hold_begun(slot);
        }
    }

    #[inline]
    pub(crate) fn succeeded(&mut self, slot: Slot, value: &Value, changes: &mut impl Changes) {
        if !self.node(slot).is_plain
            && let What::Body(task) = self.what(slot)
            && let Some(branch) = &task.branch
            && let Some(arm) = (branch.arm)(value)
        {
            self.node_mut(slot).more().rare().arm = Some(index(arm));
        }
        self.node_mut(slot).value = Some(value.clone()).into();
        self.ended(slot, NodeState::Success, changes);
    }

    fn gate_succeeded(&mut self, slot: Slot, changes: &mut impl Changes) {
        self.node_mut(slot).value = self.gate_value(slot).into();
        match self.what(slot) {
            What::Element { .. } => self.activated(self.layout.position(slot), changes),
            What::FirstOf { .. } => self.unwanting += 1,
            _ => {}
        }
        self.ended(slot, NodeState::Success, changes);
    }

    fn not_yet(&mut self, slot: Slot, next: Timestamp, memory: Option<&Arc<str>>) {
        let waits = match &self.plan().policy(self.ix(slot)).sensor {
            Some(sensor) if sensor.mode == Mode::Poke => NodeState::Running,
            _ => NodeState::UpForReschedule,
        };
        let node = self.node_mut(slot);
        node.state = waits;
        let more = node.more();
        more.next = next.into();
        more.interruptions = 0;
        more.remember(memory);
    }

    fn retrying(&mut self, slot: Slot, next: Timestamp, renew: bool, memory: Option<&Arc<str>>) {
        let node = self.node_mut(slot);
        node.state = NodeState::UpForRetry;
        let more = node.more();
        more.attempt = more.attempt.max(1) + 1;
        more.next = next.into();
        more.interruptions = 0;
        more.remember(memory);
        if renew {
            more.budget_from = Moment::NONE;
            more.pokes_in_budget = 0;
        }
    }

    fn interrupted(&mut self, slot: Slot, asked: bool, changes: &mut impl Changes) {
        let node = self.node_mut(slot);
        node.state = NodeState::Scheduled;
        node.more().interruptions += u32::from(!asked);
        changes.ready(slot);
    }

    fn failed(&mut self, slot: Slot, error: &Arc<str>, changes: &mut impl Changes) {
        let id = self.id(slot);
        let node = self.node_mut(slot);
        let attempts = node.attempt();
        node.more().rare().failure = Some(Failure::new(id, Arc::clone(error), attempts));
        self.failures += usize::from(self.counts(self.ix(slot)));
        self.ended(slot, NodeState::Failed, changes);
    }

    fn upstream_failed(&mut self, slot: Slot, cause: Slot, changes: &mut impl Changes) {
        if let Some(failure) = self.node(cause).failure().cloned() {
            self.node_mut(slot).more().rare().failure = Some(failure);
        }
        self.ended(slot, NodeState::UpstreamFailed, changes);
    }

    fn skipped(&mut self, slot: Slot, why: &Skip, changes: &mut impl Changes) {
        let cut = match why {
            Skip::RunEnded => Cut::RunEnded,
            Skip::CutOff => Cut::Unwanted,
            // If a gate that stands for a choice is skipped, its inputs are unwanted. A task's upstreams have a purpose of their
            // own.
            Skip::ByHand if matches!(self.what(slot), What::FirstOf { .. } | What::Each(_)) => Cut::Unwanted,
            _ => Cut::No,
        };
        self.node_mut(slot).cut = cut;
        match cut {
            Cut::RunEnded => self.failures += usize::from(self.counts(self.ix(slot))),
            Cut::Unwanted => self.unwanting += 1,
            Cut::No => {}
        }
        self.ended(slot, NodeState::Skipped, changes);
    }

    fn run_ended(&mut self, state: RunState, changes: &mut impl Changes) {
        let found = |slot| {
            let node = self.node(slot);
            NodeAtCancel { is_body: self.is_body(slot), state: node.state, is_cut_off: node.was_cut_off_by_end() }
        };
        if state == RunState::Cancelled && self.open > 0 && ends_open_nodes(self.slots().map(found)) {
            for slot in self.slots() {
                if !self.node(slot).state.is_end() {
                    self.skipped(slot, &Skip::RunEnded, changes);
                }
            }
        }
        self.state = state;
    }

    /// Returns the value that a succeeded gate passes on.
    fn gate_value(&self, slot: Slot) -> Option<Value> {
        match self.what(slot) {
            What::Body(_) | What::Journaled(_) => None,
            What::Element { .. } => self.node(slot).value().cloned(),
            What::Arm { branch, .. } => {
                let What::Body(task) = &self.plan().node(*branch).what else { return None };
                let output = self.node(self.seen_from(slot, *branch)).value()?;
                Some((task.branch.as_ref()?.carried)(output))
            }
            What::Failure { of } => {
                let failure = self.node(self.seen_from(slot, *of)).failure()?;
                Some(Value::new(failure.clone()))
            }
            What::FirstOf { from } => {
                let mut runners = (0..).zip(from.iter().map(|&node| self.node(self.seen_from(slot, node))));
                let (place, winner) = runners.find(|(_, runner)| runner.state == NodeState::Success)?;
                let value = winner.value().cloned()?;
                Some(self.plan().part(value, self.plan().part_of_gate(self.ix(slot), place)))
            }
            What::Each(each) => (each.join)(&self.elements(slot)),
            What::Gather(gather) => (gather.join)(&self.elements(slot)),
        }
    }

    #[inline]
    pub(super) fn ended(&mut self, slot: Slot, state: NodeState, changes: &mut impl Changes) {
        let node = self.node_mut(slot);
        debug_assert!(!node.state.is_end(), "a node ended twice");
        if node.state.is_end() {
            return;
        }
        node.state = state;
        if let Some(more) = &mut node.more {
            more.next = Moment::NONE;
            more.remember(None);
        }
        self.open -= 1;
        if self.has_locks() {
            self.hold_ended(slot);
        }
        let position = self.layout.position(slot);
        self.follow_edges(slot, position, changes);
        if position.expansion > 0 {
            self.element_ended(position, changes);
            self.note_activity(position);
            if state != NodeState::Success && self.element(position) == slot {
                self.element_not_activated(slot, state, changes);
            }
        }
        // A node that has ended no longer waits for its past.
        if self.unwanting > 0 || !self.plan().across.is_empty() {
            self.release_upstreams(slot, changes);
        }
    }

    /// The whole state as text, to be compared.
    #[cfg(test)]
    pub(crate) fn fold(&self) -> String {
        use std::fmt::Write;
        let Self { state, ending, reopened, mappings, open, failures, unwanting, callbacks, nodes, holds, .. } = self;
        let mut text = format!(
            "{state} ending {ending:?} reopened {reopened:?} open {open} failures {failures} unwanting {unwanting} {holds:?} {callbacks:?} {mappings:?}\n"
        );
        for (slot, node) in nodes.iter().enumerate() {
            let _ = writeln!(text, "{slot} {node:?}");
        }
        text
    }

    /// Returns the current expansion of a mapping, if it has expanded.
    pub(crate) fn expansion_of(&self, each: Slot) -> Option<ExpansionIx> {
        self.layout.of_each(each)
    }

    /// Returns the slot of the element at a position.
    pub(crate) fn element(&self, position: Position) -> Slot {
        self.layout.base(position)
    }
}

/// A dense index. It cannot overflow, because plans and lists have limits.
pub(crate) fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or_else(|_| unreachable!("more than 2^32 of one kind in a run"))
}
