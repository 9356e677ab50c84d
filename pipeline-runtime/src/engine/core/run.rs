//! One run's state: a fold of its records.
//!
//! [`Run::apply`] is the only thing that writes it, so that recovery, which replays the journal's records, comes to the state
//! that the live run had. What a record makes possible is noted in `pending` and decided afterwards, by [`super::decide`].

use super::super::journal::RunKey;
use super::super::layout::{Expansion, ExpansionIx, Layout, Position};
use super::super::record::{Entry, Record, Slot};
use super::super::state::{NodeState, RunState};
use super::alerts::Alerts;
use super::judge::{Verdict, judge};
use crate::author::context::RunInfo;
use crate::author::input::Upstream;
use crate::author::options::Mode;
use crate::author::outcome::Failure;
use crate::author::value::Value;
use crate::plan::{Edge, EdgeRule, NodeIx, Plan, What};
use crate::time::{Moment, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// A run's index in its core.
pub(crate) type RunIx = u32;

/// What a run is made of.
#[derive(Debug, Clone)]
pub(crate) struct RunSpec {
    pub(crate) plan: Arc<Plan>,
    pub(crate) info: Arc<RunInfo>,
    /// What the SLAs count from.
    pub(crate) sla_from: Timestamp,
    /// All randomness of the run.
    pub(crate) seed: u64,
    /// The run's number in its journal.
    pub(crate) key: RunKey,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) spec: Arc<RunSpec>,
    pub(crate) state: RunState,
    pub(crate) started: Timestamp,
    /// What the run's timeout counts from: its start, or when it was last tried again after its end.
    pub(crate) timeout_from: Timestamp,
    pub(crate) layout: Layout,
    pub(crate) nodes: Vec<Node>,
    /// How far each mapping's elements are, by expansion. The plan's own is empty.
    pub(crate) mappings: Vec<Mapping>,
    /// Nodes that have not ended.
    pub(crate) open: usize,
    /// Nodes that failed and were not allowed to.
    pub(crate) failures: usize,
    pub(crate) alerts: Alerts,
    pub(crate) pending: Pending,
}

/// What the records applied so far made possible, not yet decided.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// What becomes of nodes without their bodies. In topological order, and of one node the gravest first: so whatever one
    /// event makes of a node's inputs is known before the node is decided.
    pub(crate) decisions: BinaryHeap<Reverse<(u32, Slot, Decision)>>,
    /// Those who lost a race that is won. Whether somebody else awaits them is asked once all else is decided.
    pub(crate) losers: Vec<Slot>,
    /// Mappings that may activate further elements.
    pub(crate) freed: Vec<ExpansionIx>,
    /// Bodies whose inputs all hold.
    pub(crate) ready: Vec<Slot>,
}

impl Pending {
    /// Nothing is left to be decided, but what is ready may start.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.decisions.is_empty() && self.losers.is_empty() && self.freed.is_empty()
    }
}

/// What is to become of a node, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decision {
    /// An input never holds since this node failed.
    UpstreamFailed(Slot),
    /// An input never holds since this node was skipped.
    Skipped(Slot),
    /// A mapping's elements have all ended.
    Gathered,
    /// A gate's inputs hold, or its race is won.
    Holds,
}

/// One node of a run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of a node in this process, and all combinations occur")]
pub(crate) struct Node {
    /// Which of the plan's it is.
    pub(crate) ix: NodeIx,
    pub(crate) state: NodeState,
    /// Its last attempt has not been answered yet, be it cut off or not.
    pub(crate) in_flight: bool,
    /// It holds a slot of its pool.
    pub(crate) holds_slot: bool,
    /// It waits in its pool's queue.
    pub(crate) waits_for_slot: bool,
    /// Its next attempt is due, but the last one still holds its thread.
    pub(crate) overdue: bool,
    /// What its last poke looked at has changed since that began.
    pub(crate) changed: bool,
    /// Edges that do not hold yet, and within a mapping the element's own start.
    pub(crate) waits: u32,
    /// How often it was started: tells the answer of one start from that of another.
    pub(crate) starts: u32,
    pub(crate) first_start: Moment,
    pub(crate) value: Option<Value>,
    pub(crate) more: Option<Box<More>>,
}

/// What only some nodes have.
#[derive(Debug, Clone, Default)]
pub(crate) struct More {
    /// The attempt under way or due, from 1.
    pub(crate) attempt: u32,
    /// Interruptions since the last attempt that came to an end.
    pub(crate) interruptions: u32,
    pub(crate) last_start: Moment,
    /// When the next attempt or poke is due.
    pub(crate) next: Moment,
    /// When a poke was due as its last was made before that, for a change: it still is.
    pub(crate) tick: Moment,
    /// The start of a sensor's budget.
    pub(crate) budget_from: Moment,
    pub(crate) pokes: u32,
    /// Pokes since the budget began but those for changes, for the growing waits between them.
    pub(crate) pokes_in_budget: u32,
    pub(crate) kept: Option<Box<Kept>>,
}

/// What a node leaves behind that is no output. Apart, as a sensor that waits has nothing of it, and there may be a million.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    failure: Option<Failure>,
    /// What its next attempt or poke is to know.
    memory: Option<Arc<str>>,
    /// Of a branch: the arm it took and what that carries.
    arm: Option<(u32, Value)>,
}

/// How far a mapping is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    /// Nodes of each element that have not ended.
    pub(crate) open: Vec<u32>,
    /// No element before this one waits to be activated.
    pub(crate) next: u32,
    /// How many elements are active, and which: activated, and not at their end.
    pub(crate) active: u32,
    pub(crate) is_active: Vec<bool>,
    pub(crate) done: u32,
    /// Its list was cleared: the elements are those of an earlier one until it unfolds again.
    pub(crate) is_stale: bool,
}

impl Node {
    /// A node that nothing has happened to.
    pub(crate) fn new(ix: NodeIx, waits: u32) -> Self {
        Self {
            ix,
            state: NodeState::None,
            in_flight: false,
            holds_slot: false,
            waits_for_slot: false,
            overdue: false,
            changed: false,
            waits,
            starts: 0,
            first_start: Moment::NONE,
            value: None,
            more: None,
        }
    }

    pub(crate) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    fn kept(&self) -> Option<&Kept> {
        self.more.as_ref()?.kept.as_deref()
    }

    /// Why it failed, or what it waited for did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.kept()?.failure.as_ref()
    }

    /// What its last attempt or poke left for the next.
    pub(crate) fn memory(&self) -> Option<&Arc<str>> {
        self.kept()?.memory.as_ref()
    }

    /// Of a branch: the arm it took and what that carries.
    pub(crate) fn arm(&self) -> Option<(u32, &Value)> {
        self.kept()?.arm.as_ref().map(|(arm, carried)| (*arm, carried))
    }

    /// The attempt under way or due, from 1.
    #[inline]
    pub(crate) fn attempt(&self) -> u32 {
        self.more.as_ref().map_or(1, |more| more.attempt.max(1))
    }

    /// When its last attempt, or poke, was started.
    #[inline]
    pub(crate) fn last_start(&self) -> Timestamp {
        let last = self.more.as_ref().and_then(|more| more.last_start.get());
        last.or(self.first_start.get()).unwrap_or_default()
    }
}

impl More {
    fn kept(&mut self) -> &mut Kept {
        self.kept.get_or_insert_default()
    }

    fn remember(&mut self, memory: Option<&Arc<str>>) {
        match (memory, &mut self.kept) {
            (None, None) => {}
            _ => self.kept().memory = memory.cloned(),
        }
    }
}

impl Run {
    pub(crate) fn new(spec: RunSpec, now: Timestamp) -> Self {
        let layout = Layout::new(&spec.plan);
        let plan = &spec.plan;
        let node = |ix| {
            let waits = plan.node(ix).needs;
            Node { state: if waits == 0 { NodeState::Scheduled } else { NodeState::None }, ..Node::new(ix, waits) }
        };
        let nodes: Vec<Node> = plan.scope(0).nodes.iter().map(|&ix| node(ix)).collect();
        // Gates always wait for something.
        let ready = (0..).zip(&nodes).filter(|(_, node)| node.waits == 0).map(|(slot, _)| slot).collect();
        Self {
            open: nodes.len(),
            pending: Pending { ready, ..Pending::default() },
            state: RunState::Running,
            started: now,
            timeout_from: now,
            layout,
            nodes,
            mappings: vec![Mapping::default()],
            failures: 0,
            alerts: Alerts::default(),
            spec: Arc::new(spec),
        }
    }

    /// When the run's timeout is over.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        Some(self.timeout_from + self.plan().run.timeout?)
    }

    /// Whether an attempt of it has not been answered yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.nodes.iter().any(|node| node.in_flight)
    }

    #[inline]
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.spec.plan
    }

    #[inline]
    pub(crate) fn node(&self, slot: Slot) -> &Node {
        &self.nodes[slot as usize]
    }

    #[inline]
    pub(crate) fn node_mut(&mut self, slot: Slot) -> &mut Node {
        &mut self.nodes[slot as usize]
    }

    #[inline]
    pub(crate) fn ix(&self, slot: Slot) -> NodeIx {
        self.node(slot).ix
    }

    pub(crate) fn id(&self, slot: Slot) -> String {
        self.layout.id(&self.spec.plan, slot)
    }

    /// How a node ended, for whoever takes its output.
    #[inline]
    pub(crate) fn upstream(&self, slot: Slot) -> Upstream {
        let node = self.node(slot);
        match (node.state, &node.value) {
            (NodeState::Success, Some(value)) => Upstream::Success(Arc::clone(value)),
            (NodeState::Failed | NodeState::UpstreamFailed, _) => {
                Upstream::Failed(node.failure().cloned().unwrap_or_else(|| Failure::new(self.id(slot), "unknown", 0)))
            }
            _ => Upstream::Skipped,
        }
    }

    /// How the elements of a mapping ended, in the list's order.
    pub(crate) fn elements(&self, each: Slot) -> Vec<Upstream> {
        let (Some(expansion), Some(of)) = (self.layout.of_each(each), self.layout.each(self.plan(), each)) else {
            return Vec::new();
        };
        let result = |element| self.layout.resolve(self.plan(), of.result, Position { expansion, element });
        (0..self.layout.expansion(expansion).width).map(|element| self.upstream(result(element))).collect()
    }

    /// The first element's result that failed, and the first that was skipped; none if the mapping never unfolded.
    pub(crate) fn results(&self, each: Slot) -> Option<(Option<Slot>, Option<Slot>)> {
        let expansion = self.layout.of_each(each)?;
        let of = self.layout.each(self.plan(), each)?;
        let result = |element| self.layout.resolve(self.plan(), of.result, Position { expansion, element });
        let results: Vec<Slot> = (0..self.layout.expansion(expansion).width).map(result).collect();
        let first = |state: fn(NodeState) -> bool| results.iter().copied().find(|&slot| state(self.node(slot).state));
        let failed = first(|state| matches!(state, NodeState::Failed | NodeState::UpstreamFailed));
        Some((failed, first(|state| state != NodeState::Success)))
    }

    /// Whether a failure of the node is to count.
    pub(super) fn counts(&self, node: NodeIx) -> bool {
        let plan = self.plan();
        let mut node = node;
        loop {
            if plan.node(node).allow_failure {
                return false;
            }
            match plan.scope(plan.node(node).scope).each {
                Some(each) => node = each,
                None => return true,
            }
        }
    }

    pub(crate) fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.record {
            Record::Started { slot, attempt } => self.started(*slot, *attempt, at),
            Record::NotYet { slot, next, memory } => self.not_yet(*slot, *next, memory.as_ref()),
            Record::Retrying { slot, next, renew, memory, error: _ } => self.retrying(*slot, *next, *renew, memory.as_ref()),
            Record::Interrupted { slot, asked } => self.interrupted(*slot, *asked),
            Record::Unfolded { slot, width } => self.unfolded(*slot, *width),
            Record::Succeeded { slot, output: Some(output) } => self.succeeded(*slot, &output.value),
            Record::Succeeded { slot, output: None } => self.gate_succeeded(*slot),
            Record::Failed { slot, error, timed_out: _ } => self.failed(*slot, error),
            Record::Skipped { slot, why: _ } => self.ended(*slot, NodeState::Skipped),
            Record::UpstreamFailed { slot, cause } => self.upstream_failed(*slot, *cause),
            Record::Cleared { slots } => {
                if self.state.is_end() {
                    self.timeout_from = at;
                }
                self.cleared(slots);
            }
            Record::RunEnded { state } => {
                self.state = *state;
                // Where records are read again, nobody has taken what they made possible; now there is nothing left to decide.
                self.pending = Pending::default();
            }
            Record::CallbackDue { .. } | Record::CallbackTold { .. } | Record::CallbackFailed { .. } => self.alerts.apply(entry),
        }
    }

    #[inline]
    pub(super) fn succeeded(&mut self, slot: Slot, value: &Value) {
        self.branched(slot, value);
        self.node_mut(slot).value = Some(Arc::clone(value));
        self.ended(slot, NodeState::Success);
    }

    fn gate_succeeded(&mut self, slot: Slot) {
        self.node_mut(slot).value = self.gate_value(slot);
        if let What::Element { .. } = self.plan().node(self.ix(slot)).what {
            self.activated(self.layout.position(slot));
        }
        self.ended(slot, NodeState::Success);
    }

    fn not_yet(&mut self, slot: Slot, next: Timestamp, memory: Option<&Arc<str>>) {
        let waits = self.waiting_state(slot);
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

    fn interrupted(&mut self, slot: Slot, asked: bool) {
        let node = self.node_mut(slot);
        node.state = NodeState::Scheduled;
        node.more().interruptions += u32::from(!asked);
        self.pending.ready.push(slot);
    }

    fn failed(&mut self, slot: Slot, error: &Arc<str>) {
        let id = self.id(slot);
        let node = self.node_mut(slot);
        let attempts = node.attempt();
        node.more().kept().failure = Some(Failure::new(id, Arc::clone(error), attempts));
        if self.counts(self.ix(slot)) {
            self.failures += 1;
        }
        self.ended(slot, NodeState::Failed);
    }

    fn upstream_failed(&mut self, slot: Slot, cause: Slot) {
        if let Some(failure) = self.node(cause).failure().cloned() {
            self.node_mut(slot).more().kept().failure = Some(failure);
        }
        self.ended(slot, NodeState::UpstreamFailed);
    }

    /// The state of a sensor between two pokes.
    fn waiting_state(&self, slot: Slot) -> NodeState {
        match &self.plan().policy(self.ix(slot)).sensor {
            Some(sensor) if sensor.mode == Mode::Poke => NodeState::Running,
            _ => NodeState::UpForReschedule,
        }
    }

    /// What a gate that has succeeded passes on.
    fn gate_value(&self, slot: Slot) -> Option<Value> {
        let plan = self.plan();
        let see = |node| self.layout.resolve(plan, node, self.layout.position(slot));
        match &plan.node(self.ix(slot)).what {
            What::Body(_) => None,
            What::Element { .. } => self.node(slot).value.clone(),
            What::Arm { branch, .. } => {
                let (_, carried) = self.node(see(*branch)).arm()?;
                Some(Arc::clone(carried))
            }
            What::Failure { of } => {
                let failure = self.node(see(*of)).failure()?;
                Some(Arc::new(failure.clone()))
            }
            What::FirstOf { .. } => self.node(self.winner(slot)?).value.clone(),
            What::Each(each) => (each.mapping.collect)(&self.elements(slot)),
        }
    }

    /// Which node won a race, if one has.
    pub(crate) fn winner(&self, slot: Slot) -> Option<Slot> {
        let What::FirstOf { from } = &self.plan().node(self.ix(slot)).what else { return None };
        let mut runners = from.iter().map(|&node| self.layout.resolve(self.plan(), node, self.layout.position(slot)));
        runners.find(|&runner| self.node(runner).state == NodeState::Success)
    }

    #[inline]
    pub(super) fn started(&mut self, slot: Slot, attempt: u32, at: Timestamp) {
        let is_sensor = self.plan().policy(self.ix(slot)).sensor.is_some();
        let node = self.node_mut(slot);
        node.state = NodeState::Running;
        node.starts += 1;
        node.first_start.get_or_insert(at);
        // A task's first attempt needs no more memory than this.
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
    }

    /// Notes the arm that a branch took.
    #[inline]
    fn branched(&mut self, slot: Slot, value: &Value) {
        if let What::Body(task) = &self.plan().node(self.ix(slot)).what
            && let Some(branch) = &task.branch
            && let Some((arm, carried)) = (branch.split)(value.as_ref().as_any())
        {
            self.node_mut(slot).more().kept().arm = Some((u32::try_from(arm).unwrap_or(u32::MAX), carried));
        }
    }

    fn unfolded(&mut self, slot: Slot, width: u32) {
        let plan = Arc::clone(self.plan());
        let Some(each) = self.layout.each(&plan, slot) else { return };
        let before = self.layout.of_each(slot);
        let expansion = self.layout.unfold(&plan, slot, each.scope, width);
        let Expansion { base, stride, .. } = *self.layout.expansion(expansion);
        let scope = plan.scope(each.scope);
        let list = self.node(self.layout.resolve(&plan, each.list, self.layout.position(slot))).value.clone();
        let items = list.map(|list| (each.mapping.explode)(list.as_ref().as_any())).unwrap_or_default();
        for item in items {
            for (&node, is_element) in scope.nodes.iter().zip(std::iter::once(true).chain(std::iter::repeat(false))) {
                // Within a mapping a node also waits for its element to be activated.
                let waits = plan.node(node).needs + 1;
                let value = is_element.then(|| Arc::clone(&item));
                self.nodes.push(Node { value, ..Node::new(node, waits) });
            }
        }
        self.open += stride as usize * width as usize;
        self.mappings.push(Mapping {
            open: vec![stride; width as usize],
            is_active: vec![false; width as usize],
            ..Mapping::default()
        });
        self.node_mut(slot).state = NodeState::Running;
        let kept = before.map_or(0, |before| self.layout.expansion(before).width.min(width));
        // What the elements take from around the mapping may have ended before they were there.
        for (from, edge) in &scope.imports {
            let from = self.layout.resolve(&plan, *from, self.layout.position(slot));
            if self.node(from).state.is_end() {
                for element in kept..width {
                    let to = base + element * stride + plan.node(edge.to).offset;
                    self.follow(from, to, edge.rule);
                }
            }
        }
        match before {
            Some(before) => self.unfolded_again(slot, before, expansion),
            None if width == 0 => self.decide(slot, Decision::Gathered),
            None => self.pending.freed.push(expansion),
        }
    }

    /// An element of a mapping may start: the nodes within it no longer wait for that.
    fn activated(&mut self, position: Position) {
        let Expansion { base, stride, .. } = *self.layout.expansion(position.expansion);
        self.mappings[position.expansion as usize].next = position.element + 1;
        let first = base + position.element * stride;
        for slot in first + 1..first + stride {
            self.holds(slot);
        }
    }

    #[inline]
    fn ended(&mut self, slot: Slot, state: NodeState) {
        let node = self.node_mut(slot);
        if node.state.is_end() {
            return;
        }
        node.state = state;
        node.overdue = false;
        node.waits_for_slot = false;
        if let Some(more) = &mut node.more {
            more.next = Moment::NONE;
            more.remember(None);
        }
        let ix = node.ix;
        self.open -= 1;
        let position = self.layout.position(slot);
        // The slot of its scope's first node.
        let base = self.layout.base(position);
        for edge in self.plan().node(ix).out.clone() {
            let edge = self.plan().edges[edge as usize];
            if edge.offset == Edge::INWARDS {
                self.follow_inwards(slot, edge.to, edge.rule);
            } else {
                self.follow(slot, base + edge.offset, edge.rule);
            }
        }
        if position.expansion > 0 {
            self.element_ended(position);
            self.note_activity(position);
        }
    }

    /// The slot of the element that a position is about.
    pub(super) fn element(&self, position: Position) -> Slot {
        let of = self.layout.expansion(position.expansion);
        of.base + position.element * of.stride
    }

    /// Counts an element that has become active, or is so no longer.
    pub(super) fn note_activity(&mut self, position: Position) {
        let activated = self.node(self.element(position)).state == NodeState::Success;
        let mapping = &mut self.mappings[position.expansion as usize];
        let is_active = activated && mapping.open[position.element as usize] > 0;
        let was_active = std::mem::replace(&mut mapping.is_active[position.element as usize], is_active);
        match (was_active, is_active) {
            (false, true) => mapping.active += 1,
            (true, false) => mapping.active -= 1,
            _ => {}
        }
    }

    /// Follows an edge into a mapping: to the node in each element that is there.
    fn follow_inwards(&mut self, from: Slot, to: NodeIx, rule: EdgeRule) {
        for target in self.inward_targets(self.layout.position(from), to) {
            self.follow(from, target, rule);
        }
    }

    /// The slots of a node of an inner scope within `outer`.
    pub(super) fn inward_targets(&self, outer: Position, to: NodeIx) -> Vec<Slot> {
        let plan = self.plan();
        let outermost = self.layout.expansion(outer.expansion).scope;
        // The mappings between the two, innermost first.
        let (mut mappings, mut scope) = (Vec::new(), plan.node(to).scope);
        while scope != outermost {
            let Some(each) = plan.scope(scope).each else { return Vec::new() };
            mappings.push(each);
            scope = plan.node(each).scope;
        }
        let mut positions = vec![outer];
        for each in mappings.into_iter().rev() {
            // What an older list unfolded to is not there any more.
            let unfolded =
                positions.iter().filter_map(|&position| self.layout.of_each(self.layout.own_slot(plan, each, position)));
            let elements = unfolded.flat_map(|expansion| {
                (0..self.layout.expansion(expansion).width).map(move |element| Position { expansion, element })
            });
            positions = elements.collect();
        }
        positions.into_iter().map(|position| self.layout.own_slot(plan, to, position)).collect()
    }

    /// One upstream of `to` has ended.
    #[inline]
    pub(super) fn follow(&mut self, from: Slot, to: Slot, rule: EdgeRule) {
        if self.node(to).state.is_end() {
            return;
        }
        let unfolded = matches!(rule, EdgeRule::Elements(_)) && self.layout.of_each(from).is_some();
        match judge(rule, self.node(from), unfolded) {
            Verdict::Holds | Verdict::Loses => self.holds(to),
            Verdict::Wins => self.decide(to, Decision::Holds),
            Verdict::Skips => self.decide(to, Decision::Skipped(from)),
            Verdict::Fails => self.decide(to, Decision::UpstreamFailed(from)),
        }
    }

    #[inline]
    pub(super) fn decide(&mut self, slot: Slot, decision: Decision) {
        let rank = self.plan().node(self.ix(slot)).rank;
        self.pending.decisions.push(Reverse((rank, slot, decision)));
    }

    #[inline]
    pub(super) fn holds(&mut self, slot: Slot) {
        let node = self.node_mut(slot);
        node.waits = node.waits.saturating_sub(1);
        match (node.waits, node.state) {
            (0, NodeState::None) => self.scheduled(slot),
            // A mapping whose elements were tried again gathers them once its own inputs hold again.
            (0, NodeState::Running) if self.layout.of_each(slot).is_some() => self.decide(slot, Decision::Gathered),
            _ => {}
        }
    }

    /// Nothing keeps the node from going on.
    #[inline]
    pub(super) fn scheduled(&mut self, slot: Slot) {
        self.node_mut(slot).state = NodeState::Scheduled;
        if self.plan().node(self.ix(slot)).is_body() {
            self.pending.ready.push(slot);
        } else {
            self.decide(slot, Decision::Holds);
        }
    }

    fn element_ended(&mut self, position: Position) {
        let Expansion { width, each, .. } = *self.layout.expansion(position.expansion);
        let mapping = &mut self.mappings[position.expansion as usize];
        let open = &mut mapping.open[position.element as usize];
        *open -= 1;
        if *open > 0 {
            return;
        }
        mapping.done += 1;
        if mapping.done < width {
            self.pending.freed.push(position.expansion);
        } else if let Some(each) = each {
            self.decide(each, Decision::Gathered);
        }
    }
}
