//! From records to numbers.

use super::{RunMetrics, SensorMetrics};
use crate::author::definition::Kind;
use crate::author::value::Datum;
use crate::engine::{Entry, Layout, NodeState, Output, Record, RunState, Skip, Slot};
use crate::plan::{NodeIx, Plan};
use crate::storage::Object;
use crate::time::Timestamp;
use std::sync::Arc;

/// What is known of a slot between two of its records.
#[derive(Debug, Clone, Default)]
struct Spot {
    state: NodeState,
    /// The attempt under way, or the last.
    attempt: u32,
    /// When it may start next; none before its first start, which follows from its upstreams.
    due: Option<Timestamp>,
    /// When the body that runs was started.
    running: Option<Timestamp>,
    /// When it was first started.
    first: Option<Timestamp>,
    ended: Option<Timestamp>,
}

/// Counts what a run's records tell, one after the other.
#[derive(Debug)]
pub(crate) struct Counter {
    plan: Arc<Plan>,
    layout: Layout,
    started: Timestamp,
    now: Timestamp,
    state: RunState,
    spots: Vec<Spot>,
    /// By node of the plan, gates included. Of tasks the sensor's part stays empty.
    nodes: Vec<SensorMetrics>,
}

impl Counter {
    pub(crate) fn new(plan: Arc<Plan>, started: Timestamp) -> Self {
        let layout = Layout::new(&plan);
        let spots = vec![Spot::default(); layout.len()];
        let nodes = vec![SensorMetrics::default(); plan.nodes.len()];
        Self { plan, layout, started, now: started, state: RunState::Running, spots, nodes }
    }

    pub(crate) fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        self.now = self.now.max(at);
        match &entry.record {
            Record::Started { slot, attempt } => self.starts(*slot, *attempt, at),
            Record::NotYet { slot, next, .. } => {
                self.stops(*slot, at);
                self.spot(*slot).state = NodeState::UpForReschedule;
                self.spot(*slot).due = Some(*next);
            }
            Record::Retrying { slot, next, renew, .. } => {
                self.stops(*slot, at);
                if *renew {
                    self.node(*slot).timeouts += 1;
                } else {
                    self.node(*slot).node.errors += 1;
                }
                self.spot(*slot).state = NodeState::UpForRetry;
                self.spot(*slot).due = Some(*next);
            }
            Record::Interrupted { slot, .. } => {
                self.stops(*slot, at);
                self.spot(*slot).state = NodeState::Scheduled;
                self.spot(*slot).due = Some(at);
            }
            Record::Unfolded { slot, width } => self.unfolds(*slot, *width, at),
            Record::Succeeded { slot, output } => {
                let value = output.as_ref().map(|output| output.value.as_ref());
                self.detects(*slot, value, at);
                self.ends(*slot, NodeState::Success, at);
            }
            Record::Failed { slot, timed_out, .. } => {
                if *timed_out {
                    self.node(*slot).timeouts += 1;
                } else {
                    self.node(*slot).node.errors += 1;
                }
                self.ends(*slot, NodeState::Failed, at);
            }
            Record::Skipped { slot, why } => {
                if matches!(why, Skip::Timeout(_)) {
                    self.node(*slot).timeouts += 1;
                }
                self.ends(*slot, NodeState::Skipped, at);
            }
            Record::UpstreamFailed { slot, .. } => self.ends(*slot, NodeState::UpstreamFailed, at),
            Record::Cleared { slots } => {
                self.state = RunState::Running;
                for &slot in slots {
                    // From now on, unless its upstreams were cleared as well and end later.
                    *self.spot(slot) = Spot { due: Some(at), ..Spot::default() };
                }
            }
            Record::RunEnded { state } => self.state = *state,
            Record::CallbackDue { .. } | Record::CallbackTold { .. } | Record::CallbackFailed { .. } => {}
        }
    }

    fn starts(&mut self, slot: Slot, attempt: u32, at: Timestamp) {
        let here = &self.spots[slot as usize];
        let due = match here.due {
            Some(due) if here.first.is_some() => due,
            since => self.ready(slot).max(since.unwrap_or(self.started)),
        };
        let here = self.spot(slot);
        let is_new = here.attempt != attempt;
        here.attempt = attempt;
        here.state = NodeState::Running;
        here.running = Some(at);
        here.first.get_or_insert(at);
        let is_sensor = self.is_sensor(slot);
        let node = self.node(slot);
        node.node.queue += at.since(due);
        node.node.attempts += u64::from(is_new);
        node.pokes += u64::from(is_sensor);
    }

    /// When the last of a node's inputs was there.
    fn ready(&self, slot: Slot) -> Timestamp {
        let position = self.layout.position(slot);
        let node = self.layout.node(&self.plan, slot);
        let ended = |upstream: NodeIx| self.spots[self.layout.resolve(&self.plan, upstream, position) as usize].ended;
        let inputs = self.plan.upstreams(node).filter_map(ended);
        // An element waits for its own start, as a mapping may hold it back.
        let element = self.plan.scope(self.plan.node(node).scope).nodes.first().copied().filter(|_| self.in_mapping(node));
        inputs.chain(element.and_then(ended)).max().unwrap_or(self.started)
    }

    fn in_mapping(&self, node: NodeIx) -> bool {
        self.plan.scope(self.plan.node(node).scope).each.is_some()
    }

    /// A body has come to its end.
    fn stops(&mut self, slot: Slot, at: Timestamp) {
        let Some(since) = self.spot(slot).running.take() else { return };
        let (took, is_sensor) = (at.since(since), self.is_sensor(slot));
        let node = self.node(slot);
        node.node.run += took;
        if is_sensor {
            node.poke_duration.add(took);
        }
    }

    fn ends(&mut self, slot: Slot, state: NodeState, at: Timestamp) {
        self.stops(slot, at);
        let here = self.spot(slot);
        here.state = state;
        here.ended = Some(at);
        if let Some(first) = here.first {
            self.node(slot).wait += at.since(first);
        }
    }

    /// How long an object had been there when a sensor found it, if it came while the sensor waited.
    fn detects(&mut self, slot: Slot, value: Option<&dyn Datum>, at: Timestamp) {
        let found = value.filter(|_| self.is_sensor(slot)).and_then(newest_of);
        let Some((object, first)) = found.zip(self.spot(slot).first) else { return };
        let arrived = Timestamp::from(object.last_modified);
        if arrived >= first {
            let node = self.node(slot);
            node.detection = node.detection.max(Some(at.since(arrived)));
        }
    }

    fn unfolds(&mut self, slot: Slot, width: u32, at: Timestamp) {
        let here = self.spot(slot);
        here.state = NodeState::Running;
        // Its elements start when it unfolds.
        here.ended = Some(at);
        let plan = Arc::clone(&self.plan);
        let Some(each) = self.layout.each(&plan, slot) else { return };
        let old = self.layout.of_each(slot);
        let new = self.layout.unfold(&plan, slot, each.scope, width);
        self.spots.resize(self.layout.len(), Spot::default());
        let Some(old) = old else { return };
        // The list is there anew: elements keep what is known of them, surplus ones are gone.
        let kept = self.layout.expansion(old).width.min(width);
        for (from, to) in self.layout.moves(old, new, kept) {
            self.spots.swap(from as usize, to as usize);
            self.spots[from as usize].state = NodeState::Removed;
        }
        self.layout.rename(old, new, kept);
        for slot in self.layout.surplus(old, kept) {
            self.spots[slot as usize].state = NodeState::Removed;
        }
    }

    /// What has been counted so far.
    pub(crate) fn metrics(&self) -> RunMetrics {
        let mut nodes = self.nodes.clone();
        for (here, slot) in self.spots.iter().zip(0..) {
            let node = &mut nodes[self.layout.node(&self.plan, slot) as usize];
            // A place that another element took over is none of the node's.
            if here.state != NodeState::Removed || here.first.is_some() {
                *node.node.states.entry(here.state).or_default() += 1;
            }
            if let (Some(first), None) = (here.first, here.ended) {
                node.wait += self.now.since(first);
            }
        }
        let duration = self.now.since(self.started);
        let (mut sensors, mut tasks) = (Vec::new(), Vec::new());
        for (ix, definition) in self.plan.bodies() {
            let mut node = std::mem::take(&mut nodes[ix as usize]);
            node.node.node = self.plan.id(ix);
            if definition.kind == Kind::Sensor { sensors.push(node) } else { tasks.push(node.node) }
        }
        RunMetrics { pipeline: self.plan.pipeline.to_owned(), state: self.state, duration, sensors, tasks }
    }

    fn spot(&mut self, slot: Slot) -> &mut Spot {
        &mut self.spots[slot as usize]
    }

    fn node(&mut self, slot: Slot) -> &mut SensorMetrics {
        let node = self.layout.node(&self.plan, slot);
        &mut self.nodes[node as usize]
    }

    fn is_sensor(&self, slot: Slot) -> bool {
        self.plan.policy(self.layout.node(&self.plan, slot)).sensor.is_some()
    }
}

/// All that metrics need of an output: the newest of the objects that a sensor found.
pub(crate) fn newest(output: &Output) -> Option<Output> {
    let object = newest_of(output.value.as_ref())?.clone();
    Some(Output { value: Arc::new(object), json: None })
}

fn newest_of(value: &dyn Datum) -> Option<&Object> {
    let value = value.as_any();
    let objects = value.downcast_ref::<Vec<Object>>();
    value.downcast_ref::<Object>().or_else(|| objects?.iter().max_by_key(|object| object.last_modified))
}
