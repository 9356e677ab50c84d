//! Drives a core as a driver would, with random answers at random times, and checks it at every step.

use super::super::{Action, Answer, Answered, Core, Edit, Job, Outbox, Run, RunIx, RunSpec, Todo};
use super::model::{Key, Model};
use super::recipe::{Description, Entropy, Kind, NARROW, WIDER, Way};
use crate::author::context::RunInfo;
use crate::author::options::Mode;
use crate::author::value::Value;
use crate::engine::record::{Entry, Output, Record, Skip, Slot};
use crate::engine::{NodeState, RunState};
use crate::plan::Plan;
use crate::schedule::Interval;
use crate::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn spec(plan: &Arc<Plan>, run: RunIx) -> RunSpec {
    let date = "2024-03-25T06:00:00Z".parse().unwrap();
    let info = RunInfo {
        pipeline: plan.pipeline.to_owned(),
        run_id: format!("test__{run}"),
        interval: Interval { start: date, end: date },
        previous: None,
        params: serde_json::Value::Null,
    };
    RunSpec { plan: Arc::clone(plan), info: Arc::new(info), sla_from: START, seed: 0, key: 0 }
}

/// When all tests begin.
pub(super) const START: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// All of a run's state that is to follow from its records.
pub(super) fn fold(run: &Run) -> String {
    let mut text = format!("{} open {} failures {} mappings {:?}\n", run.state, run.open, run.failures, run.mappings);
    for (slot, node) in run.nodes.iter().enumerate() {
        let (state, waits, starts, first, value, more) =
            (node.state, node.waits, node.starts, node.first_start, &node.value, &node.more);
        let _ = writeln!(text, "{slot} {state} waits {waits} starts {starts} {first:?} {value:?} {more:?}");
    }
    text
}

/// How a body answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Success,
    Error,
    Fatal,
    Skip,
    NotYet,
}

/// How bodies answer: by the run, the node, its attempt, and how often it has answered `NotYet`.
pub(super) type Bodies = Box<dyn FnMut(&mut Entropy, &Key, u32, u32) -> Ends>;

/// What may happen beside answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Troubles {
    /// How many crashes at most.
    pub(super) crashes: u32,
    /// How often nodes are tried again after the end.
    pub(super) retries: u32,
    pub(super) cancels: bool,
    /// Time passes without an answer for as long as limits take.
    pub(super) delays: bool,
}

#[derive(Debug)]
struct Started {
    run: RunIx,
    slot: Slot,
    start: u32,
    attempt: u32,
    aborted: bool,
}

/// A run as the test sees it.
struct Watched {
    model: Model,
    /// All records so far.
    entries: Vec<Entry>,
    /// What they fold to.
    shadow: Run,
    cancelled: bool,
    retries: HashMap<Slot, u32>,
    interrupted: HashMap<Slot, u32>,
    not_yets: HashMap<Slot, u32>,
    /// How often each list was cleared: each time it is another.
    cleared: HashMap<Key, usize>,
}

pub(super) struct Harness {
    core: Core,
    plan: Arc<Plan>,
    of: Arc<Description>,
    by_name: HashMap<String, usize>,
    parallelism: u32,
    now: Timestamp,
    runs: Vec<Watched>,
    in_flight: Vec<Started>,
    answered: Vec<(RunIx, Slot, u32)>,
    entropy: Entropy,
    bodies: Bodies,
    troubles: Troubles,
    pub(super) crashes: u32,
    retried: u32,
}

impl Drop for Harness {
    /// Where a check failed, what led to it can be seen.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for (ix, spec) in self.of.specs.iter().enumerate() {
            println!("{ix} {spec:?}");
        }
        for run in &self.runs {
            for entry in &run.entries {
                println!("{} {:?}", entry.at.since(START).as_secs_f64(), entry.record);
            }
        }
    }
}

impl Harness {
    pub(super) fn new(plan: Arc<Plan>, of: Arc<Description>, mut entropy: Entropy, bodies: Bodies, troubles: Troubles) -> Self {
        let parallelism = 1 + u32::try_from(entropy.below(4)).unwrap();
        let by_name = of.specs.iter().enumerate().map(|(ix, spec)| (spec.name.clone(), ix)).collect();
        Self {
            core: Core::new(parallelism),
            plan,
            of,
            by_name,
            parallelism,
            now: START,
            runs: Vec::new(),
            in_flight: Vec::new(),
            answered: Vec::new(),
            entropy,
            bodies,
            troubles,
            crashes: 0,
            retried: 0,
        }
    }

    pub(super) fn start(&mut self) {
        let ix = u32::try_from(self.runs.len()).unwrap();
        let spec = spec(&self.plan, ix);
        let shadow = Run::new(spec.clone(), self.now);
        self.runs.push(Watched {
            model: Model::new(Arc::clone(&self.of)),
            entries: Vec::new(),
            shadow,
            cancelled: false,
            retries: HashMap::new(),
            interrupted: HashMap::new(),
            not_yets: HashMap::new(),
            cleared: HashMap::new(),
        });
        assert_eq!(self.core.start(spec, self.now), ix);
        self.check();
    }

    /// Until all runs have ended and every start was answered. Returns how each node ended.
    pub(super) fn finish(&mut self) -> Vec<BTreeMap<String, NodeState>> {
        let mut steps = 0u32;
        while !self.in_flight.is_empty() || self.runs.iter().any(|run| !run.shadow.state.is_end()) {
            self.step();
            steps += 1;
            assert!(steps < 20_000, "the run does not come to its end:\n{}", fold(&self.runs[0].shadow));
            let ended = self.in_flight.is_empty() && self.runs.iter().all(|run| run.shadow.state.is_end());
            if ended && self.retried < self.troubles.retries {
                self.retried += 1;
                self.retry();
            }
        }
        for (pool, used) in self.core.pools.used() {
            assert_eq!(used, 0, "pool {pool} has slots that nobody holds");
        }
        let ends = |run: &Watched| (0..).zip(&run.shadow.nodes).map(|(slot, node)| (run.shadow.id(slot), node.state)).collect();
        self.runs.iter().map(ends).collect()
    }

    fn step(&mut self) {
        match self.entropy.below(20) {
            13 | 14 if self.troubles.delays => {
                // The driver may be late: an answer may come before the timers that were due.
                self.now = self.now + Duration::from_millis(self.entropy.below(9000) as u64);
                if self.entropy.once_in(2) {
                    self.advance();
                }
            }
            15 => self.wake(),
            16 if !self.answered.is_empty() => {
                // The core knows an answer that it had already.
                let (run, slot, start) = self.answered[self.entropy.below(self.answered.len())];
                self.core.answer(Job { run, slot, start }, Answered::Error("twice".into()).into(), self.now);
                assert!(self.core.outbox().records.is_empty(), "a start was answered twice");
                self.check();
            }
            17 if self.crashes < self.troubles.crashes && self.entropy.once_in(3) => self.crash(),
            18 if self.troubles.cancels && self.entropy.once_in(8) => self.cancel(),
            11 | 12 | 19 if self.in_flight.is_empty() || self.troubles.delays => self.pass_to_next_timer(),
            _ if self.in_flight.is_empty() => self.pass_to_next_timer(),
            _ => self.answer(),
        }
    }

    /// Somebody wants nodes of a run that has ended tried again.
    fn retry(&mut self) {
        let run = self.entropy.below(self.runs.len());
        let ix = u32::try_from(run).unwrap();
        let shadow = &self.runs[run].shadow;
        let bodies = (0..)
            .zip(&shadow.nodes)
            .filter(|(slot, node)| node.state != NodeState::Removed && shadow.plan().node(shadow.ix(*slot)).is_body());
        let bodies: Vec<Slot> = bodies.map(|(slot, _)| slot).collect();
        let slots: Vec<Slot> = (0..=self.entropy.below(2)).map(|_| bodies[self.entropy.below(bodies.len())]).collect();
        let downstream = self.entropy.once_in(2);
        let nodes = slots.iter().map(|slot| shadow.id(*slot)).collect();
        self.core.edit(ix, &Edit::Retry { nodes, downstream }, self.now).expect("all nodes have ended");
        self.check();
    }

    /// What some node's last start, or one before, may have looked at changes.
    fn wake(&mut self) {
        let ix = self.entropy.below(self.runs.len());
        let shadow = &self.runs[ix].shadow;
        let slot = self.entropy.below(shadow.nodes.len());
        let start = shadow.nodes[slot].starts.saturating_sub(u32::from(self.entropy.once_in(4)));
        self.core.wake(u32::try_from(ix).unwrap(), u32::try_from(slot).unwrap(), start, self.now);
        self.check();
    }

    fn pass_to_next_timer(&mut self) {
        let next = self.core.next_due();
        if next == Timestamp::NEVER {
            assert!(!self.in_flight.is_empty(), "nothing is under way and nothing is due:\n{}", fold(&self.runs[0].shadow));
            return self.answer();
        }
        self.now = self.now.max(next);
        self.advance();
    }

    fn advance(&mut self) {
        self.core.advance(self.now);
        self.check();
    }

    fn cancel(&mut self) {
        let run = self.entropy.below(self.runs.len());
        if !self.runs[run].shadow.state.is_end() {
            self.runs[run].cancelled = true;
            self.runs[run].model.cancel();
        }
        // A run that has ended cannot be cancelled any more.
        let _ = self.core.edit(u32::try_from(run).unwrap(), &Edit::Cancel, self.now);
        self.check();
    }

    fn answer(&mut self) {
        let at = self.entropy.below(self.in_flight.len());
        let started = self.in_flight.remove(at);
        let Started { run, slot, start, .. } = started;
        self.answered.push((run, slot, start));
        let key = self.key(run, slot);
        let kind = self.of.specs[key.0].what.clone();
        let answer = if started.aborted && !self.entropy.once_in(3) {
            Answered::Aborted
        } else {
            let not_yets = self.runs[run as usize].not_yets.get(&slot).copied().unwrap_or(0);
            match (self.bodies)(&mut self.entropy, &key, started.attempt, not_yets) {
                Ends::NotYet if kind == Kind::Sensor => Answered::NotYet(None),
                Ends::Success | Ends::NotYet => Answered::Success(self.value(run, &key), None),
                Ends::Error => Answered::Error("error".into()),
                Ends::Fatal => Answered::Fatal("fatal".into()),
                Ends::Skip => Answered::Skip("skip".into()),
            }
        };
        let memory = (kind == Kind::Sensor).then(|| format!("{start}").into());
        self.core.answer(Job { run, slot, start }, Answer { what: answer, memory }, self.now);
        self.check();
    }

    /// An output: the same of a node whatever happened before, but that a list that is tried again is another one.
    fn value(&self, run: RunIx, key: &Key) -> Value {
        let number = key.0 * 7 + key.1.iter().map(|index| *index as usize).sum::<usize>();
        match &self.of.specs[key.0].what {
            Kind::Fork => Arc::new([Way::Left(1), Way::Right(2), Way::Neither][number % 3].clone()),
            Kind::List => {
                let cleared = self.runs[run as usize].cleared.get(key).copied().unwrap_or(0);
                Arc::new((0..((number + cleared * 2) % 5) as u64).collect::<Vec<u64>>())
            }
            _ => Arc::new(number as u64),
        }
    }

    fn key(&self, run: RunIx, slot: Slot) -> Key {
        let shadow = &self.runs[run as usize].shadow;
        (self.by_name[&shadow.plan().id(shadow.ix(slot))], shadow.layout.indices(slot))
    }

    /// The process ends, and another goes on from the records.
    fn crash(&mut self) {
        self.crashes += 1;
        let cut: Vec<(RunIx, Slot)> =
            self.in_flight.drain(..).filter(|started| !started.aborted).map(|started| (started.run, started.slot)).collect();
        self.answered.clear();
        self.core = Core::new(self.parallelism);
        self.now = self.now + Duration::from_secs(self.entropy.below(40) as u64);
        for ix in 0..self.runs.len() {
            let run = u32::try_from(ix).unwrap();
            let resumed = self.core.resume(spec(&self.plan, run), START, &self.runs[ix].entries, self.now);
            assert_eq!(resumed, run);
            let mut again = Run::new(spec(&self.plan, run), START);
            self.runs[ix].entries.iter().for_each(|entry| again.apply(entry));
            assert_eq!(fold(&again), fold(&self.runs[ix].shadow), "records replayed do not give the state that they gave");
            for &(_, slot) in cut.iter().filter(|(of, slot)| *of == run && again.node(*slot).state == NodeState::Running) {
                let times = self.runs[ix].interrupted.entry(slot).or_default();
                *times += 1;
                let expected = *times;
                let outbox = self.core.outbox();
                let was = outbox
                    .records
                    .iter()
                    .any(|(of, entry)| of == run && matches!(entry.record, Record::Interrupted { slot: of, .. } if of == slot));
                assert_eq!(was, expected < 3, "an attempt cut off for time {expected} in a row");
            }
        }
        self.check();
    }

    /// Takes what the core left to do, and holds everything against the model.
    fn check(&mut self) {
        let Outbox { records, todo: Todo { starts, actions }, refused: _ } = std::mem::take(self.core.outbox());
        let mut granted: Vec<(RunIx, Slot)> = Vec::new();
        for (run, entry) in records.iter() {
            self.record(run, entry);
        }
        for Job { run, slot, start } in starts {
            let overlaps = self.in_flight.iter().any(|started| started.run == run && started.slot == slot);
            assert!(!overlaps, "{} was started while it runs", self.runs[run as usize].shadow.id(slot));
            let attempt = self.core.run(run).unwrap().node(slot).attempt();
            self.in_flight.push(Started { run, slot, start, attempt, aborted: false });
            granted.push((run, slot));
        }
        for action in actions {
            match action {
                Action::Abort(Job { run, slot, start }) => {
                    let of = self.in_flight.iter_mut().find(|of| (of.run, of.slot, of.start) == (run, slot, start));
                    // By its limit, and again by the run's end.
                    of.expect("what is cut off runs").aborted = true;
                }
                Action::Tell { .. } => panic!("there are no callbacks"),
                Action::Ended { run, state } => assert_eq!(self.runs[run as usize].shadow.state, state),
            }
        }
        for run in 0..self.runs.len() {
            self.check_run(u32::try_from(run).unwrap());
        }
        self.check_pools(&granted);
    }

    fn record(&mut self, run: RunIx, entry: Entry) {
        let record = entry.record.clone();
        // Elements are named once they are there.
        let slot_of = match &record {
            Record::Started { slot, .. }
            | Record::NotYet { slot, .. }
            | Record::Retrying { slot, .. }
            | Record::Interrupted { slot, .. }
            | Record::Unfolded { slot, .. }
            | Record::Succeeded { slot, .. }
            | Record::Failed { slot, .. }
            | Record::Skipped { slot, .. }
            | Record::UpstreamFailed { slot, .. } => Some(*slot),
            _ => None,
        };
        let key = slot_of.map(|slot| self.key(run, slot));
        let cleared: Vec<Key> = match &record {
            Record::Cleared { slots } => slots.iter().map(|slot| self.key(run, *slot)).collect(),
            _ => Vec::new(),
        };
        let watched = &mut self.runs[run as usize];
        watched.shadow.apply(&entry);
        watched.entries.push(entry);
        let (Some(slot), Some(key)) = (slot_of, key) else {
            if let Record::RunEnded { state } = record {
                let expected = if watched.cancelled { Some(RunState::Cancelled) } else { watched.model.run_state() };
                assert_eq!(Some(state), expected);
            }
            if let Record::Cleared { .. } = record {
                watched.cancelled = false;
                watched.retries.clear();
                watched.interrupted.clear();
                watched.not_yets.clear();
                for key in &cleared {
                    *watched.cleared.entry(key.clone()).or_default() += 1;
                }
                watched.model.clear(&cleared);
            }
            return;
        };
        let name = &self.of.specs[key.0].name;
        match record {
            Record::Started { attempt, .. } => {
                assert!(watched.model.may_run(&key), "{name} {:?} was started before its inputs held", key.1);
                assert_eq!(watched.model.state(&key), None, "{name} was started again after it had ended");
                assert_eq!(attempt, 1 + watched.retries.get(&slot).copied().unwrap_or(0), "{name}");
            }
            Record::NotYet { .. } => {
                *watched.not_yets.entry(slot).or_default() += 1;
                watched.interrupted.remove(&slot);
            }
            Record::Retrying { .. } => {
                let retries = watched.retries.entry(slot).or_default();
                *retries += 1;
                assert!(*retries <= self.of.specs[key.0].retries, "{name} is retried too often");
                watched.interrupted.remove(&slot);
            }
            Record::Succeeded { output: Some(Output { value, .. }), .. } => {
                let value = value.as_ref().as_any();
                if let Some(way) = value.downcast_ref::<Way>() {
                    watched.model.took(
                        &key,
                        match way {
                            Way::Left(_) => 0,
                            Way::Right(_) => 1,
                            Way::Neither => 2,
                        },
                    );
                }
                if let Some(list) = value.downcast_ref::<Vec<u64>>() {
                    watched.model.listed(&key, u32::try_from(list.len()).unwrap());
                }
                assert_eq!(watched.model.state(&key), None, "{name} ended twice");
                watched.model.end(&key, NodeState::Success);
            }
            Record::Failed { error, .. } => {
                assert_eq!(watched.model.state(&key), None, "{name} ended twice");
                if &*error == "error" {
                    let retries = watched.retries.get(&slot).copied().unwrap_or(0);
                    assert_eq!(retries, self.of.specs[key.0].retries, "{name} was not retried");
                }
                watched.model.end(&key, NodeState::Failed);
            }
            Record::Skipped { why: Skip::Body(_) | Skip::Timeout(_), .. } => {
                assert_eq!(watched.model.state(&key), None, "{name} ended twice");
                watched.model.end(&key, NodeState::Skipped);
            }
            // These follow from others, as the model says.
            Record::Succeeded { output: None, .. } => {
                assert_eq!(watched.model.state(&key), Some(NodeState::Success), "{name} {:?}", key.1);
            }
            Record::Skipped { why, .. } => {
                assert_eq!(watched.model.state(&key), Some(NodeState::Skipped), "{name} {:?}: {why:?}", key.1);
            }
            Record::UpstreamFailed { .. } => {
                assert_eq!(watched.model.state(&key), Some(NodeState::UpstreamFailed), "{name} {:?}", key.1);
                let failure = watched.shadow.node(slot).failure().cloned().expect("a cause");
                let root = watched.shadow.layout.find(watched.shadow.plan(), failure.node()).expect("the root cause is a node");
                assert_eq!(watched.shadow.node(root).state, NodeState::Failed, "the root cause of {name}");
            }
            Record::Interrupted { .. } | Record::Unfolded { .. } => {}
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn check_run(&self, run: RunIx) {
        let watched = &self.runs[run as usize];
        let of_core = self.core.run(run).unwrap();
        assert_eq!(fold(of_core), fold(&watched.shadow), "the state does not follow from the records");
        let mut ended = 0;
        for (slot, node) in (0..).zip(&of_core.nodes) {
            let key = self.key(run, slot);
            if node.state == NodeState::Removed {
                continue;
            }
            let expected = watched.model.state(&key);
            let name = of_core.id(slot);
            assert_eq!(node.state.is_end().then_some(node.state), expected, "{name}");
            ended += usize::from(expected.is_some());
            if expected.is_none() && self.of.specs[key.0].what.is_body() {
                assert_eq!(watched.model.may_run(&key), node.state != NodeState::None, "{name} is {}", node.state);
                let goes_on =
                    node.waits_for_slot || node.in_flight || node.more.as_ref().is_some_and(|more| more.next.get().is_some());
                assert!(node.state == NodeState::None || goes_on, "{name} is {} and nothing will wake it", node.state);
            }
        }
        assert_eq!(ended, watched.model.ended().count(), "the model has nodes that the core has not");
        assert_eq!(of_core.state.is_end(), watched.cancelled || watched.model.run_state().is_some());
    }

    fn check_pools(&self, granted: &[(RunIx, Slot)]) {
        let slots = [self.parallelism, NARROW.slots(), WIDER.slots()];
        let mut held = [0; 3];
        let mut waiting: [Vec<(i32, String)>; 3] = Default::default();
        let mut first: [Vec<i32>; 3] = Default::default();
        for (ix, run) in (0..).zip(&self.core.runs) {
            let run = &run.as_ref().unwrap().run;
            for (slot, node) in (0..).zip(&run.nodes) {
                let key = self.key(ix, slot);
                let spec = &self.of.specs[key.0];
                let in_flight = self.in_flight.iter().any(|started| started.run == ix && started.slot == slot);
                assert_eq!(in_flight, node.in_flight);
                assert!(!in_flight || node.holds_slot, "{} runs without a slot", run.id(slot));
                let is_poke = run.plan().policy(run.ix(slot)).sensor.as_ref().is_some_and(|sensor| sensor.mode == Mode::Poke);
                assert!(
                    in_flight || !node.holds_slot || (is_poke && node.state == NodeState::Running),
                    "{} keeps its slot",
                    run.id(slot)
                );
                held[spec.pool] += u32::from(node.holds_slot);
                if node.waits_for_slot {
                    waiting[spec.pool].push((spec.priority, run.id(slot)));
                }
                if granted.contains(&(ix, slot)) && node.starts == 1 {
                    first[spec.pool].push(spec.priority);
                }
            }
        }
        for pool in 0..3 {
            assert!(held[pool] <= slots[pool], "pool {pool} is overbooked");
            assert!(
                held[pool] == slots[pool] || waiting[pool].is_empty(),
                "pool {pool} has a slot, and {:?} waits",
                waiting[pool]
            );
            for (priority, id) in &waiting[pool] {
                assert!(first[pool].iter().all(|granted| granted >= priority), "{id} has priority and waits");
            }
        }
    }
}
