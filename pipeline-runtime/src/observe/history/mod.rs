//! A run's history: its records, folded node by node.
//!
//! Anything that knows the events of a run can feed it: there is a method for each event, and [`RunHistory::apply`] feeds it from
//! records. The history of a live run does not grow with time: counts are complete, and of activities, failed attempts and callbacks
//! only the last are stored. A simulation, and a reader of a journal, stores everything.

mod activities;
#[cfg(any(feature = "cli", feature = "dashboard"))]
mod box_states;
mod callbacks;
mod events;
mod listing;
mod node;
mod offset;
mod parts;
mod race;
#[cfg(any(feature = "cli", feature = "dashboard"))]
mod record_text;
#[cfg(feature = "dashboard")]
mod sums;
#[cfg(test)]
mod tests;
#[cfg(feature = "sqlite")]
mod time_kind;

pub(crate) use activities::{Activity, Span};
#[cfg(feature = "dashboard")]
pub(crate) use box_states::rank;
pub(crate) use callbacks::{CallbackHistory, Callbacks};
pub(crate) use node::{FailedAttempt, NodeHistory};

use super::metrics::{Counts, RunMetrics, SensorMetrics};
use crate::author::definition::Kind;
use crate::author::value::Codec;
use crate::engine::{Entry, Layout, Lookup, NodeState, RunState, Skip, Slot};
use crate::plan::{NodeIx, Plan, What};
use crate::time::Timestamp;
use node::HistoryLimits;
use parts::Parts;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How many starts of activities of a node a live run stores besides the first and the last; a poke takes two. A run of more than
/// [`MANY_NODES`] nodes stores [`MAX_ACTIVITIES_OF_MANY`].
pub(crate) const MAX_ACTIVITIES: usize = 64;
pub(crate) const MAX_ACTIVITIES_OF_MANY: usize = 4;
pub(crate) const MANY_NODES: usize = 1_000;
/// How many failed attempts of a node a live run stores.
pub(crate) const MAX_FAILED_ATTEMPTS: usize = 16;
/// How many callbacks a live run stores; pending ones are never dropped.
pub(crate) const MAX_CALLBACKS: usize = 1_000;

/// The events of a run so far. Times are offsets from its start.
#[derive(Debug, Clone)]
pub(crate) struct RunHistory {
    pub(crate) started: Timestamp,
    pub(crate) state: RunState,
    pub(crate) finished: Option<Duration>,
    /// When it was last retried after its end.
    reopened: Option<Duration>,
    /// The time between its ends and the retries that followed them.
    idle: Duration,
    pub(crate) callbacks: Arc<Callbacks>,
    /// By slot.
    nodes: Parts<NodeHistory>,
    /// The number of nodes with a body in each state.
    state_counts: [usize; NodeState::ALL.len()],
    /// By node of the plan, including gates.
    counts: Parts<Counts>,
    layout: Arc<Layout>,
    plan: Arc<Plan>,
    /// The time of the last event.
    now: Duration,
    keeps_all: bool,
}

impl RunHistory {
    /// Creates the history of a run that is read or simulated: it stores everything.
    pub(crate) fn new(plan: Arc<Plan>, started: Timestamp) -> Self {
        let layout = Layout::new(&plan);
        let mut counts = Parts::default();
        counts.grow(plan.nodes.len());
        let mut history = Self {
            started,
            state: RunState::Running,
            finished: None,
            reopened: None,
            idle: Duration::ZERO,
            callbacks: Arc::default(),
            nodes: Parts::default(),
            state_counts: [0; NodeState::ALL.len()],
            counts,
            layout: Arc::new(layout),
            plan,
            now: Duration::ZERO,
            keeps_all: true,
        };
        history.grow();
        history
    }

    /// Creates the history of a live run, which does not grow with time.
    pub(crate) fn live(plan: Arc<Plan>, started: Timestamp) -> Self {
        Self { keeps_all: false, ..Self::new(plan, started) }
    }

    /// Folds `entries` into a history.
    pub(crate) fn of(plan: Arc<Plan>, started: Timestamp, entries: &[Entry]) -> Self {
        let mut history = Self::new(plan, started);
        for entry in entries {
            history.apply(entry);
        }
        history
    }

    /// Returns a copy that shares everything that neither changes: a list of nodes is long, and most stay unchanged.
    #[cfg(feature = "dashboard")]
    pub(crate) fn share(&mut self) -> Self {
        Self {
            started: self.started,
            state: self.state,
            finished: self.finished,
            reopened: self.reopened,
            idle: self.idle,
            callbacks: Arc::clone(&self.callbacks),
            nodes: self.nodes.share(),
            state_counts: self.state_counts,
            counts: self.counts.share(),
            layout: Arc::clone(&self.layout),
            plan: Arc::clone(&self.plan),
            now: self.now,
            keeps_all: self.keeps_all,
        }
    }

    /// Returns the number of nodes that were copied since this was created, because a copy of it has them unchanged.
    #[cfg(feature = "dashboard")]
    pub(crate) fn copied(&self) -> usize {
        self.nodes.copied() + self.counts.copied()
    }

    fn limits(&self) -> HistoryLimits {
        match (self.keeps_all, self.nodes.len() > MANY_NODES) {
            (true, _) => HistoryLimits { activities: usize::MAX, failed_attempts: usize::MAX },
            (_, true) => HistoryLimits { activities: MAX_ACTIVITIES_OF_MANY, failed_attempts: MAX_FAILED_ATTEMPTS },
            _ => HistoryLimits { activities: MAX_ACTIVITIES, failed_attempts: MAX_FAILED_ATTEMPTS },
        }
    }

    /// Adds an empty history for each slot that has none.
    fn grow(&mut self) {
        let before = self.nodes.len();
        self.nodes.grow(self.layout.len());
        let new = u32::try_from(before).unwrap_or(u32::MAX)..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        // The new slots are those of one list, or of the plan itself.
        self.state_counts[NodeState::None as usize] += self.bodies_of(new);
    }
}

/// Queries about the nodes.
impl RunHistory {
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns the time of the last event, as an offset from the run's start.
    pub(crate) fn latest(&self) -> Duration {
        self.now
    }

    /// Returns the time between its ends and the retries that followed them: it is no part of how long the run took.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn idle(&self) -> Duration {
        self.idle
    }

    /// Returns a node that has failed and whose failure fails the run, if there is one.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn failing(&self) -> Option<Slot> {
        let mut failing = None;
        self.each_body(|slot, ix| {
            if failing.is_none() && self.node(slot).state() == NodeState::Failed && self.plan.counts_within(ix, None) {
                failing = Some(slot);
            }
        });
        failing
    }

    /// Returns when it was last retried after its end.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn reopened(&self) -> Option<Duration> {
        self.reopened
    }

    /// Returns the number of slots, including those that are not listed.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, slot: Slot) -> &NodeHistory {
        &self.nodes[slot as usize]
    }

    /// Returns the plan's node of a slot.
    pub(crate) fn node_ix(&self, slot: Slot) -> NodeIx {
        self.layout.node(&self.plan, slot)
    }

    /// Returns a node's id: that of the plan, with the index of its element. It is built on demand.
    pub(crate) fn id(&self, slot: Slot) -> String {
        self.layout.id(&self.plan, slot)
    }

    /// Returns the slot of the node with that id.
    pub(crate) fn find(&self, id: &str) -> Option<Slot> {
        self.layout.find(&self.plan, id)
    }

    /// True if the node has a body: it is not an arm, a race or a mapping.
    pub(crate) fn is_body(&self, slot: Slot) -> bool {
        self.plan.node(self.node_ix(slot)).is_body()
    }

    /// Returns the codec of a task's output; `None` for a node without a body.
    pub(crate) fn codec(&self, slot: Slot) -> Option<&'static Codec> {
        match &self.plan.node(self.node_ix(slot)).what {
            What::Body(task) => Some(task.codec),
            _ => None,
        }
    }

    pub(crate) fn is_sensor(&self, slot: Slot) -> bool {
        self.plan.policy(self.node_ix(slot)).sensor.is_some()
    }

    /// Returns the nodes with a body, each once, in wiring order, elements after the plan's own nodes. Elements that are no
    /// longer in their list are included, as removed.
    pub(crate) fn listed(&self) -> Vec<Slot> {
        let mut listed = Vec::new();
        self.each_body(|slot, _| listed.push(slot));
        listed
    }

    /// Visits the slots of [`listed`](Self::listed), with the plan's node of each.
    pub(crate) fn each_body(&self, mut see: impl FnMut(Slot, NodeIx)) {
        for range in listing::ranges(&self.layout) {
            self.each_body_of(range, &mut see);
        }
    }

    /// Returns the number of listed nodes.
    #[cfg(feature = "dashboard")]
    pub(crate) fn listed_count(&self) -> usize {
        self.ranges().into_iter().map(|range| self.bodies_of(range)).sum()
    }

    fn bodies_of(&self, range: Range<Slot>) -> usize {
        if range.is_empty() {
            return 0;
        }
        let of = self.layout.expansion(self.layout.position(range.start).expansion);
        let bodies = self.plan.scope(of.scope).nodes.iter().filter(|ix| self.plan.node(**ix).is_body()).count();
        range.len() / of.stride as usize * bodies
    }

    /// Visits the nodes with a body in whole elements of one list, or in the plan's own nodes.
    pub(crate) fn each_body_of(&self, range: Range<Slot>, mut see: impl FnMut(Slot, NodeIx)) {
        let of = self.layout.expansion(self.layout.position(range.start).expansion);
        let nodes = &self.plan.scope(of.scope).nodes;
        let bodies: Vec<(Slot, NodeIx)> =
            (0..).zip(nodes.iter().copied()).filter(|(_, ix)| self.plan.node(*ix).is_body()).collect();
        let mut first = range.start;
        while first < range.end {
            for (offset, ix) in &bodies {
                see(first + offset, *ix);
            }
            first += of.stride;
        }
    }

    /// Like [`listed`](Self::listed), with the nodes that have no body.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        self.ranges().into_iter().flatten().collect()
    }

    /// Like [`slots`](Self::slots), as ranges of whole elements of one list: the plan's own nodes first.
    pub(crate) fn ranges(&self) -> Vec<Range<Slot>> {
        listing::ranges(&self.layout)
    }

    /// Returns the nodes that run or wait, at most `most` of them, and their total number.
    pub(crate) fn busy(&self, most: usize) -> (Vec<Slot>, usize) {
        let count =
            NodeState::ALL.iter().zip(self.state_counts).filter(|(state, _)| state.is_under_way()).map(|(_, count)| count).sum();
        let busy = (0..).zip(self.nodes.iter()).filter(|(slot, node)| node.state().is_under_way() && self.is_body(*slot));
        // Stops early: of a million nodes most may have ended.
        (busy.map(|(slot, _)| slot).take(most.min(count)).collect(), count)
    }

    /// Returns the number of nodes with a body per state, if not zero. Removed elements are not counted.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (NodeState, usize)> {
        NodeState::ALL.into_iter().zip(self.state_counts).filter(|(state, count)| *state != NodeState::Removed && *count > 0)
    }

    /// True if a node with a body is in that state.
    pub(crate) fn has(&self, state: NodeState) -> bool {
        self.state_counts[state as usize] > 0
    }

    /// Returns when a sensor's wait times out, once it has begun; `None` if it never does.
    pub(crate) fn deadline(&self, slot: Slot) -> Option<Duration> {
        let sensor = self.plan.policy(self.node_ix(slot)).sensor.as_ref()?;
        let deadline = sensor.deadline(self.started + self.node(slot).budget_from()?);
        (deadline < Timestamp::NEVER).then(|| deadline.since(self.started))
    }

    /// True if the node's options are known. For a run with a stored plan, that depends on the current plan.
    pub(crate) fn knows_options(&self, slot: Slot) -> bool {
        self.plan.node(self.node_ix(slot)).place().is_some()
    }

    /// Returns the number of attempts that a node may have, if its options are known.
    pub(crate) fn attempts_allowed(&self, slot: Slot) -> u32 {
        self.plan.policy(self.node_ix(slot)).retries.saturating_add(1)
    }

    /// Returns the node whose failure made this one `upstream_failed`.
    pub(crate) fn root_cause(&self, slot: Slot) -> Slot {
        let mut slot = slot;
        // Causes lead upstream, and there are no cycles.
        while let (NodeState::UpstreamFailed, Some(cause)) = (self.node(slot).state(), self.node(slot).cause()) {
            slot = cause;
        }
        slot
    }

    /// Returns the unfinished upstreams of a node, by its inputs and by its order.
    pub(crate) fn awaited(&self, slot: Slot) -> Vec<Slot> {
        let position = self.layout.position(slot);
        let ix = self.node_ix(slot);
        let ordered = self.plan.inbound(ix).iter().map(|(from, _)| *from);
        let upstreams = self.plan.upstreams(ix).chain(ordered).map(|from| self.layout.resolve(&self.plan, from, position));
        let mut seen = HashSet::new();
        upstreams.filter(|from| !self.node(*from).state().is_end() && seen.insert(*from)).collect()
    }

    /// Returns the nodes that an earlier end of the run cut off and that were not retried since, if they are the reason why the
    /// run failed without a failed node: its last end cut nothing off. Otherwise the run exceeded its timeout.
    pub(crate) fn cut_off_by_earlier_end(&self) -> Vec<Slot> {
        let is_cut_off = |slot: &Slot| matches!(self.node(*slot).why_skipped(), Some(Skip::RunEnded));
        let mut slots = self.slots();
        let of_last_life = |slot: Slot| {
            let node = self.node(slot);
            node.finished_at() >= self.finished || node.cleared_at().is_some_and(|cleared| Some(cleared) >= self.reopened)
        };
        let by_last_end = |slot: Slot| is_cut_off(&slot) && of_last_life(slot);
        if slots.iter().any(|slot| by_last_end(*slot) || !self.node(*slot).state().is_end()) {
            return Vec::new();
        }
        slots.retain(|slot| is_cut_off(slot) && self.is_body(*slot));
        slots
    }

    /// Resolves a node's id.
    pub(crate) fn look_up(&self, id: &str) -> Lookup {
        self.layout.look_up(&self.plan, id)
    }

    /// Describes why a node was skipped.
    pub(crate) fn reason(&self, slot: Slot, why: &Skip) -> String {
        let reason = why.reason(|slot| self.id(slot));
        match (why, self.won_race(slot)) {
            (Skip::CutOff, Some(winner)) => format!("{reason}: `{}` won the race", self.id(winner)),
            _ => reason,
        }
    }

    /// Returns when the last of a node's inputs was available.
    fn ready_at(&self, slot: Slot) -> Duration {
        let position = self.layout.position(slot);
        let node = self.node_ix(slot);
        let ended = |upstream: NodeIx| self.node(self.layout.resolve(&self.plan, upstream, position)).finished_at();
        let scope = self.plan.scope(self.plan.node(node).scope);
        // An element also waits for its own start, since a mapping may hold it back.
        let element = scope.nodes.first().copied().filter(|_| scope.each.is_some());
        let inputs = self.plan.upstreams(node).filter_map(ended);
        inputs.chain(element.and_then(ended)).max().unwrap_or_default()
    }

    /// Returns the metrics of the run.
    pub(crate) fn metrics(&self) -> RunMetrics {
        let mut nodes: Vec<SensorMetrics> = self.counts.iter().map(Counts::metrics).collect();
        for (slot, here) in (0..).zip(self.nodes.iter()) {
            let node = &mut nodes[self.node_ix(slot) as usize];
            node.pokes += u64::from(here.pokes());
            if let (Some(began), false) = (here.began(), here.state().is_end()) {
                node.wait += self.now.saturating_sub(began);
            }
        }
        for slot in self.listed() {
            let states = &mut nodes[self.node_ix(slot) as usize].node.states;
            *states.entry(self.node(slot).state()).or_default() += 1;
        }
        let (mut sensors, mut tasks) = (Vec::new(), Vec::new());
        for (ix, definition) in self.plan.bodies() {
            let mut node = std::mem::take(&mut nodes[ix as usize]);
            node.node.node = self.plan.id(ix);
            if definition.kind == Kind::Sensor { sensors.push(node) } else { tasks.push(node.node) }
        }
        RunMetrics { pipeline: self.plan.pipeline.to_owned(), state: self.state, duration: self.now, sensors, tasks }
    }
}
