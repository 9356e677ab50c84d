//! A run's history: its records, told node by node.

use super::metrics::{Counter, RunMetrics};
use crate::author::notify::Event;
use crate::engine::{Entry, ExpansionIx, Layout, NodeState, Record, RunState, Skip, Slot};
use crate::plan::{NodeIx, Plan};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What happened in a run so far. Times are offsets from its start.
#[derive(Debug)]
pub(crate) struct RunHistory {
    pub(crate) started: Timestamp,
    pub(crate) state: RunState,
    pub(crate) finished: Option<Duration>,
    /// By slot.
    pub(crate) nodes: Vec<NodeHistory>,
    pub(crate) callbacks: Vec<CallbackHistory>,
    counter: Counter,
    layout: Layout,
    plan: Arc<Plan>,
}

/// What happened to one node.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeHistory {
    pub(crate) id: String,
    /// It has no body: an arm, a race, a mapping.
    pub(crate) is_gate: bool,
    pub(crate) is_sensor: bool,
    pub(crate) state: NodeState,
    pub(crate) attempts: u32,
    pub(crate) poke_times: Vec<Duration>,
    pub(crate) started: Option<Duration>,
    pub(crate) finished: Option<Duration>,
    pub(crate) error: Option<Arc<str>>,
    /// Why it was skipped.
    pub(crate) skipped: Option<Skip>,
    /// Whose failure made it `upstream_failed`.
    pub(crate) cause: Option<Slot>,
    pub(crate) next: Option<Duration>,
    /// Since when a sensor's timeout has been running.
    pub(crate) budget_from: Option<Duration>,
    /// What it did when, in order.
    pub(crate) spans: Vec<Span>,
    /// The attempts that came to nothing, in order.
    pub(crate) troubles: Vec<Trouble>,
}

/// An attempt that came to nothing.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) attempt: u32,
    /// When it, or its last poke, began.
    pub(crate) from: Option<Duration>,
    pub(crate) at: Duration,
    /// Its error; none where its process ended first.
    pub(crate) error: Option<Arc<str>>,
}

/// A stretch of a node's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) what: Work,
    pub(crate) from: Duration,
    /// None while it lasts.
    pub(crate) until: Option<Duration>,
}

/// What a node does with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A body runs.
    Working,
    /// A sensor waits for its next poke.
    Waiting,
    /// A retry is due.
    Retrying,
}

/// Somebody was to be told.
#[derive(Debug, Clone)]
pub(crate) struct CallbackHistory {
    pub(crate) id: u32,
    pub(crate) event: Event,
    pub(crate) notifier: String,
    pub(crate) node: Option<String>,
    pub(crate) at: Duration,
    pub(crate) told: Option<Duration>,
    pub(crate) tries: u32,
    /// Nobody tries any more.
    pub(crate) given_up: bool,
}

impl RunHistory {
    pub(crate) fn new(plan: Arc<Plan>, started: Timestamp) -> Self {
        let layout = Layout::new(&plan);
        let mut history = Self {
            started,
            state: RunState::Running,
            finished: None,
            nodes: Vec::new(),
            callbacks: Vec::new(),
            counter: Counter::new(Arc::clone(&plan), started),
            layout,
            plan,
        };
        history.grow();
        history
    }

    /// The history that `entries` tell.
    pub(crate) fn of(plan: Arc<Plan>, started: Timestamp, entries: &[Entry]) -> Self {
        let mut history = Self::new(plan, started);
        for entry in entries {
            history.apply(entry);
        }
        history
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The plan's node that a slot is.
    pub(crate) fn node_ix(&self, slot: Slot) -> NodeIx {
        self.layout.node(&self.plan, slot)
    }

    /// How many attempts a node may have.
    pub(crate) fn attempts_allowed(&self, slot: Slot) -> u32 {
        self.plan.policy(self.node_ix(slot)).retries.saturating_add(1)
    }

    /// The id of the node whose failure made this one `upstream_failed`.
    pub(crate) fn root_cause(&self, slot: Slot) -> &str {
        let mut node = &self.nodes[slot as usize];
        // Causes lead upstream, and there are no cycles.
        while let (NodeState::UpstreamFailed, Some(cause)) = (node.state, node.cause) {
            node = &self.nodes[cause as usize];
        }
        &node.id
    }

    /// What a node waits for: those of its upstreams that have not ended.
    pub(crate) fn awaited(&self, slot: Slot) -> Vec<&NodeHistory> {
        let position = self.layout.position(slot);
        let upstreams = self.plan.upstreams(self.node_ix(slot)).map(|from| self.layout.resolve(&self.plan, from, position));
        let mut slots: Vec<Slot> = upstreams.filter(|from| !self.nodes[*from as usize].state.is_end()).collect();
        slots.dedup();
        slots.into_iter().map(|slot| &self.nodes[slot as usize]).collect()
    }

    /// Why a node was skipped, in words.
    pub(crate) fn reason(&self, why: &Skip) -> String {
        match why {
            Skip::Body(why) | Skip::Timeout(why) => why.to_string(),
            Skip::Upstream(upstream) => format!("`{}` was skipped", self.nodes[*upstream as usize].id),
            Skip::NotTaken => "its branch took another arm".into(),
            Skip::CutOff => "nobody waits for it any more".into(),
            Skip::ByHand => "somebody wanted it skipped".into(),
            Skip::RunEnded => "the run ended before it did".into(),
        }
    }

    /// The callbacks that nobody was told of yet, and that are still tried.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &CallbackHistory> {
        self.callbacks.iter().filter(|callback| callback.told.is_none() && !callback.given_up)
    }

    /// The slot of the node of that id.
    pub(crate) fn find(&self, id: &str) -> Option<Slot> {
        self.layout.find(&self.plan, id)
    }

    /// Gives each slot that has no history yet an empty one.
    fn grow(&mut self) {
        for slot in self.nodes.len()..self.layout.len() {
            let slot = u32::try_from(slot).unwrap_or(u32::MAX);
            let node = self.layout.node(&self.plan, slot);
            self.nodes.push(NodeHistory {
                id: self.layout.id(&self.plan, slot),
                is_gate: !self.plan.node(node).is_body(),
                is_sensor: self.plan.policy(node).sensor.is_some(),
                ..NodeHistory::default()
            });
        }
    }

    /// What it can be measured by.
    pub(crate) fn metrics(&self) -> RunMetrics {
        self.counter.metrics()
    }

    pub(crate) fn apply(&mut self, entry: &Entry) {
        self.counter.apply(entry);
        let at = entry.at.since(self.started);
        match &entry.record {
            Record::Started { slot, attempt } => {
                let node = self.node(*slot);
                node.state = NodeState::Running;
                node.attempts = *attempt;
                node.started.get_or_insert(at);
                node.next = None;
                if node.is_sensor {
                    node.poke_times.push(at);
                    node.budget_from.get_or_insert(at);
                }
                node.turn(Work::Working, at);
            }
            Record::NotYet { slot, next, memory: _ } => {
                let next = next.since(self.started);
                let node = self.node(*slot);
                node.state = NodeState::UpForReschedule;
                node.next = Some(next);
                node.turn(Work::Waiting, at);
            }
            Record::Retrying { slot, next, error, renew, memory: _ } => {
                let next = next.since(self.started);
                let node = self.node(*slot);
                node.state = NodeState::UpForRetry;
                node.next = Some(next);
                node.error = Some(Arc::clone(error));
                node.trouble(at, Some(error));
                if *renew {
                    node.budget_from = None;
                }
                node.turn(Work::Retrying, at);
            }
            Record::Interrupted { slot, .. } => {
                let node = self.node(*slot);
                node.state = NodeState::Scheduled;
                node.trouble(at, None);
                node.stop(at);
            }
            Record::Unfolded { slot, width } => {
                let plan = Arc::clone(&self.plan);
                if let Some(each) = self.layout.each(&plan, *slot) {
                    let before = self.layout.of_each(*slot);
                    let expansion = self.layout.unfold(&plan, *slot, each.scope, *width);
                    self.grow();
                    if let Some(before) = before {
                        self.unfolded_again(before, expansion);
                    }
                }
                let node = self.node(*slot);
                node.state = NodeState::Running;
                node.started.get_or_insert(at);
            }
            Record::Succeeded { slot, output: _ } => self.end(*slot, NodeState::Success, at),
            Record::Failed { slot, error, timed_out: _ } => {
                let node = self.node(*slot);
                node.error = Some(Arc::clone(error));
                node.trouble(at, Some(error));
                self.end(*slot, NodeState::Failed, at);
            }
            Record::Skipped { slot, why } => {
                self.node(*slot).skipped = Some(why.clone());
                self.end(*slot, NodeState::Skipped, at);
            }
            Record::UpstreamFailed { slot, cause } => {
                self.node(*slot).cause = Some(*cause);
                self.end(*slot, NodeState::UpstreamFailed, at);
            }
            Record::Cleared { slots } => {
                for &slot in slots {
                    let node = self.node(slot);
                    node.state = NodeState::None;
                    node.finished = None;
                    node.next = None;
                    node.budget_from = None;
                    node.cause = None;
                    node.skipped = None;
                }
                self.state = RunState::Running;
                self.finished = None;
            }
            Record::RunEnded { state } => {
                self.state = *state;
                self.finished = Some(at);
            }
            record @ (Record::CallbackDue { .. } | Record::CallbackTold { .. } | Record::CallbackFailed { .. }) => {
                self.callback(record, at);
            }
        }
    }

    fn callback(&mut self, record: &Record, at: Duration) {
        match record {
            Record::CallbackDue { id, recipient, notification } => {
                let notifier = recipient.label.as_deref().unwrap_or("an earlier version's notifier").to_owned();
                let (event, node) = (notification.event, notification.node.clone());
                self.callbacks.push(CallbackHistory {
                    id: *id,
                    event,
                    notifier,
                    node,
                    at,
                    told: None,
                    tries: 0,
                    given_up: false,
                });
            }
            Record::CallbackTold { id } => self.tried(*id, Some(at)),
            Record::CallbackFailed { id, next, error: _ } => {
                self.tried(*id, None);
                if next.is_none()
                    && let Some(callback) = self.callbacks.iter_mut().find(|callback| callback.id == *id)
                {
                    callback.given_up = true;
                }
            }
            _ => {}
        }
    }

    /// A mapping's list is there anew: its elements' histories move, and those of surplus ones end.
    fn unfolded_again(&mut self, old: ExpansionIx, new: ExpansionIx) {
        let kept = self.layout.expansion(old).width.min(self.layout.expansion(new).width);
        for (from, to) in self.layout.moves(old, new, kept) {
            self.nodes.swap(from as usize, to as usize);
            self.nodes[from as usize].state = NodeState::Removed;
        }
        self.layout.rename(old, new, kept);
        for slot in self.layout.surplus(old, kept) {
            self.node(slot).state = NodeState::Removed;
        }
    }

    fn node(&mut self, slot: Slot) -> &mut NodeHistory {
        &mut self.nodes[slot as usize]
    }

    fn tried(&mut self, id: u32, told: Option<Duration>) {
        // Ids are given in order.
        if let Ok(at) = self.callbacks.binary_search_by_key(&id, |callback| callback.id) {
            let callback = &mut self.callbacks[at];
            callback.tries += 1;
            callback.told = told;
        }
    }

    fn end(&mut self, slot: Slot, state: NodeState, at: Duration) {
        let node = self.node(slot);
        node.state = state;
        node.finished = Some(at);
        node.next = None;
        if state == NodeState::Success {
            node.error = None;
        }
        node.stop(at);
    }

    /// How many nodes with a body are in each state.
    pub(crate) fn counts(&self) -> HashMap<NodeState, usize> {
        let mut counts = HashMap::new();
        for node in self.nodes.iter().filter(|node| !node.is_gate) {
            *counts.entry(node.state).or_default() += 1;
        }
        counts
    }
}

impl NodeHistory {
    fn turn(&mut self, what: Work, at: Duration) {
        self.stop(at);
        self.spans.push(Span { what, from: at, until: None });
    }

    fn trouble(&mut self, at: Duration, error: Option<&Arc<str>>) {
        let from = self.spans.iter().rev().find(|span| span.what == Work::Working).map(|span| span.from);
        self.troubles.push(Trouble { attempt: self.attempts, from, at, error: error.cloned() });
    }

    fn stop(&mut self, at: Duration) {
        if let Some(span) = self.spans.last_mut() {
            span.until.get_or_insert(at);
        }
    }
}
