//! Drives a core as the runtime would, with random answers at random times, and checks it at every step.

mod check;
mod restart;
mod tracked_run;

use super::super::core::Core;
use super::super::effects::{Answer, Answered};
use super::super::ids::{Job, RunIx, Slot};
use super::super::rules::Edit;
use super::super::state::{Changes, Label, Run, RunSpec};
use super::model::{Key, Model};
use super::random_plan::{Allowed, Description, Direction, Entropy, Kind};
use crate::author::context::RunInfo;
use crate::author::value::Value;
use crate::engine::NodeState;
use crate::plan::Plan;
use crate::schedule::Interval;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tracked_run::TrackedRun;

pub(super) fn spec(plan: &Arc<Plan>, run: RunIx) -> RunSpec {
    let date = "2024-03-25T06:00:00Z".parse().unwrap();
    let info = RunInfo::new(plan.pipeline, format!("test__{run}"), Interval { start: date, end: date }, serde_json::Value::Null);
    RunSpec { plan: Arc::clone(plan), info: Arc::new(info), sla_from: START, seed: 0, key: 0 }
}

/// When all tests begin.
pub(super) const START: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// The whole state of a run, which must follow from its records.
pub(super) fn fold(run: &Run) -> String {
    run.fold()
}

/// How a body answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyAnswer {
    Success,
    Error,
    Fatal,
    Skip,
    NotYet,
}

/// The bodies' answers, by the node, the attempt's number, and how often the node has answered `NotYet`.
pub(super) type Bodies = Box<dyn FnMut(&mut Entropy, &Key, u32, u32) -> BodyAnswer>;

/// What may happen besides answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disturbances {
    /// The most crashes.
    pub(super) crashes: u32,
    /// How often nodes are retried, at any time.
    pub(super) retries: u32,
    /// How often a node is skipped.
    pub(super) skips: u32,
    pub(super) cancels: bool,
    /// How often the plan gains nodes while no process has the runs.
    pub(super) growths: usize,
    /// Time passes without an answer for as long as limits last.
    pub(super) delays: bool,
}

/// A start that the test has not answered yet.
#[derive(Debug)]
struct AttemptInFlight {
    job: Job,
    attempt: u32,
    aborted: bool,
}

/// The source of the plan, from which it is built again with more nodes.
pub(super) struct PlanSource {
    pub(super) choices: Entropy,
    pub(super) allowed: Allowed,
}

pub(super) struct Harness {
    core: Core,
    plan: Arc<Plan>,
    description: Arc<Description>,
    by_name: HashMap<String, usize>,
    source: PlanSource,
    growths: Vec<Entropy>,
    parallelism: u32,
    now: Timestamp,
    runs: Vec<TrackedRun>,
    in_flight: Vec<AttemptInFlight>,
    /// The mappings whose lists are to be inspected, each with the number of its request.
    list_queries: Vec<(u64, RunIx, Key)>,
    answered_jobs: Vec<Job>,
    entropy: Entropy,
    bodies: Bodies,
    disturbances: Disturbances,
    pub(super) crashes: u32,
    retried: u32,
    skipped: u32,
    /// Steps so far: answers, timers, edits and the like.
    pub(super) steps: u64,
}

impl Drop for Harness {
    /// If a check failed, shows what led to it.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for (ix, spec) in self.description.specs.iter().enumerate() {
            println!("{ix} {spec:?}");
        }
        for run in &self.runs {
            for entry in &run.entries {
                println!("{} {:?}", entry.at.since(START).as_secs_f64(), entry.record);
            }
        }
    }
}

/// A core that compares its worklist with a derived one.
fn core(parallelism: u32) -> Core {
    let mut core = Core::new(parallelism);
    core.shared().compares_worklists = true;
    core
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

/// Ignores what a record changes.
struct IgnoreChanges;
impl Changes for IgnoreChanges {}

impl Harness {
    pub(super) fn new(
        (plan, description): (Arc<Plan>, Arc<Description>),
        source: PlanSource,
        mut entropy: Entropy,
        bodies: Bodies,
        disturbances: Disturbances,
    ) -> Self {
        let parallelism = 1 + index(entropy.below(4));
        let by_name = names(&description);
        Self {
            core: core(parallelism),
            plan,
            description,
            by_name,
            source,
            growths: Vec::new(),
            parallelism,
            now: START,
            runs: Vec::new(),
            in_flight: Vec::new(),
            list_queries: Vec::new(),
            answered_jobs: Vec::new(),
            entropy,
            bodies,
            disturbances,
            crashes: 0,
            retried: 0,
            skipped: 0,
            steps: 0,
        }
    }

    pub(super) fn start(&mut self) {
        let ix = index(self.runs.len());
        let spec = spec(&self.plan, ix);
        let shadow = Run::new(spec.clone(), self.now);
        self.runs.push(TrackedRun {
            model: Model::new(Arc::clone(&self.description)),
            entries: Vec::new(),
            shadow,
            cancelled: false,
            is_over: false,
            resuming: false,
            retries: HashMap::new(),
            interrupted: HashMap::new(),
            not_yets: HashMap::new(),
            grace: BTreeSet::new(),
            without_permit: BTreeSet::new(),
            begun: BTreeSet::new(),
            cleared: HashMap::new(),
        });
        assert_eq!(self.core.start(spec, self.now), ix);
        self.check();
    }

    fn are_over(&self) -> bool {
        self.in_flight.is_empty() && self.runs.iter().all(|run| run.is_over)
    }

    /// Runs until all runs have ended and every start was answered. Returns how each node ended.
    pub(super) fn finish(&mut self) -> Vec<BTreeMap<String, NodeState>> {
        let mut steps = 0u32;
        while !self.are_over() {
            self.step();
            self.steps += 1;
            steps += 1;
            assert!(steps < 20_000, "the run does not come to its end:\n{}", fold(&self.runs[0].shadow));
            if self.are_over() && self.retried < self.disturbances.retries && self.entropy.once_in(2) {
                self.retry();
            }
        }
        for (pool, used) in self.core.shared().pools.used() {
            assert_eq!(used, 0, "pool {pool} has permits that nobody owns");
        }
        let ends =
            |run: &TrackedRun| run.shadow.slots().map(|slot| (run.shadow.id(slot), run.shadow.node(slot).state())).collect();
        self.runs.iter().map(ends).collect()
    }

    /// Takes that many steps, or stops when everything has ended.
    pub(super) fn walk(&mut self, steps: usize) {
        for _ in 0..steps {
            if self.are_over() {
                return;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        match self.entropy.below(24) {
            13 | 14 if self.disturbances.delays => {
                // The runtime may be late: an answer may come before the timers that were due.
                self.now = self.now + Duration::from_millis(self.entropy.below(9000) as u64);
                if self.entropy.once_in(2) {
                    self.advance();
                }
            }
            15 => self.wake(),
            16 if !self.answered_jobs.is_empty() => {
                // The core ignores a repeated answer.
                let job = self.answered_jobs[self.entropy.below(self.answered_jobs.len())];
                self.core.answer(job, Answered::Error("twice".into()).into(), self.now);
                assert!(self.core.outbox().records.is_empty(), "a start was answered twice");
                self.check();
            }
            17 if self.crashes < self.disturbances.crashes && self.entropy.once_in(3) => self.crash(),
            18 if self.disturbances.cancels && self.entropy.once_in(8) => self.cancel(),
            20 if self.retried < self.disturbances.retries && self.entropy.once_in(2) => self.retry(),
            21 if self.skipped < self.disturbances.skips && self.entropy.once_in(3) => self.skip(),
            3..=5 if !self.list_queries.is_empty() => self.look(),
            11 | 12 | 19 if self.in_flight.is_empty() || self.disturbances.delays => self.pass_to_next_timer(),
            _ if self.in_flight.is_empty() => self.pass_to_next_timer(),
            _ => self.answer(),
        }
    }

    /// Retries nodes of a run, whether it has ended or not.
    fn retry(&mut self) {
        self.retried += 1;
        let run = self.entropy.below(self.runs.len());
        let shadow = &self.runs[run].shadow;
        let ended = |slot: &Slot| {
            let state = shadow.node(*slot).state();
            shadow.is_body(*slot) && state.is_end() && state != NodeState::Removed
        };
        let ended: Vec<Slot> = shadow.slots().filter(ended).collect();
        if ended.is_empty() {
            return;
        }
        let mut slots: Vec<Slot> = (0..=self.entropy.below(2)).map(|_| ended[self.entropy.below(ended.len())]).collect();
        if self.entropy.once_in(8) {
            // All that did not succeed, if there is anything.
            slots.clear();
        }
        let downstream = self.entropy.once_in(2);
        let nodes: Vec<String> = slots.iter().map(|slot| shadow.id(*slot)).collect();
        let is_busy = self.in_flight.iter().any(|started| started.job.run == index(run));
        let must = self.runs[run].is_over && !is_busy && !nodes.is_empty();
        let done = self.core.edit(index(run), &Edit::Retry { nodes, downstream }, self.now);
        match done {
            Ok(()) => {}
            Err(error) if must => panic!("all nodes have ended, and yet: {error}"),
            Err(_) => assert!(self.core.outbox().records.is_empty(), "what is refused changes nothing"),
        }
        self.check();
    }

    /// Skips a node, a gate or a body.
    fn skip(&mut self) {
        self.skipped += 1;
        let run = self.entropy.below(self.runs.len());
        let shadow = &self.runs[run].shadow;
        let slot = index(self.entropy.below(shadow.nodes().len()));
        let done = self.core.edit(index(run), &Edit::Skip { node: shadow.id(slot) }, self.now);
        assert!(done.is_ok() || self.core.outbox().records.is_empty(), "what is refused changes nothing");
        self.check();
    }

    /// Reports a change in what a node's last start, or an earlier one, may have read.
    fn wake(&mut self) {
        let ix = self.entropy.below(self.runs.len());
        let shadow = &self.runs[ix].shadow;
        let slot = index(self.entropy.below(shadow.nodes().len()));
        let start = shadow.node(slot).starts().saturating_sub(u32::from(self.entropy.once_in(4)));
        self.core.wake(index(ix), slot, start, self.now);
        self.check();
    }

    fn pass_to_next_timer(&mut self) {
        if !self.list_queries.is_empty() {
            return self.look();
        }
        let next = self.core.next_due();
        if next == Timestamp::NEVER {
            assert!(!self.in_flight.is_empty(), "nothing is under direction and nothing is due:\n{}", fold(&self.runs[0].shadow));
            return self.answer();
        }
        self.now = self.now.max(next);
        self.advance();
    }

    /// Answers the inspection of a list. If its mapping does not wait for that any more, or has asked again, nothing follows.
    fn look(&mut self) {
        let at = self.entropy.below(self.list_queries.len());
        let (number, run, key) = self.list_queries.remove(at);
        let is_last = !self.list_queries.iter().any(|(later, of, asked)| *later > number && (*of, asked) == (run, &key));
        let shadow = &self.runs[run as usize].shadow;
        let is_it = |slot: &Slot| shadow.node(*slot).state() != NodeState::Removed && self.key(run, *slot) == key;
        let slot = shadow.slots().find(is_it);
        let seen = slot.and_then(|slot| self.runs[run as usize].shadow.look(slot)).map(|look| look.inspect());
        let is_awaited = slot.is_some_and(|slot| self.runs[run as usize].shadow.node(slot).state() == NodeState::Scheduled);
        if is_last && is_awaited {
            self.runs[run as usize].model.keys_made(&key);
        }
        let seen = seen.unwrap_or_else(|| Err("its list is gone".to_owned()));
        self.core.looked(number, seen, self.now);
        self.check();
    }

    fn advance(&mut self) {
        self.core.advance(self.now);
        self.check();
    }

    fn cancel(&mut self) {
        let run = self.entropy.below(self.runs.len());
        if !self.runs[run].is_over {
            self.runs[run].cancelled = true;
            self.runs[run].model.cancel();
        }
        // A run that has ended can no longer be cancelled.
        let _ = self.core.edit(index(run), &Edit::Cancel, self.now);
        self.check();
    }

    fn answer(&mut self) {
        let at = self.entropy.below(self.in_flight.len());
        let started = self.in_flight.remove(at);
        let job @ Job { run, slot, start, .. } = started.job;
        self.answered_jobs.push(job);
        let key = self.key(run, slot);
        let kind = self.description.specs[key.0].what.clone();
        let answer = if started.aborted && !self.entropy.once_in(3) {
            Answered::Aborted
        } else {
            let not_yets = self.runs[run as usize].not_yets.get(&key).copied().unwrap_or(0);
            match (self.bodies)(&mut self.entropy, &key, started.attempt, not_yets) {
                BodyAnswer::NotYet if kind == Kind::Sensor && self.entropy.once_in(4) => {
                    // Some of them have already passed.
                    let ahead = u64::try_from(self.entropy.below(600)).unwrap_or_default();
                    Answered::NotBefore(START + Duration::from_secs(ahead))
                }
                BodyAnswer::NotYet if kind == Kind::Sensor => Answered::NotYet(None),
                BodyAnswer::Success | BodyAnswer::NotYet => Answered::Success(self.value(run, &key), None),
                BodyAnswer::Error => Answered::Error("error".into()),
                BodyAnswer::Fatal => Answered::Fatal("fatal".into()),
                BodyAnswer::Skip => Answered::Skip("skip".into()),
            }
        };
        let memory = (kind == Kind::Sensor).then(|| format!("{start}").into());
        self.core.answer(job, Answer::new(answer, memory), self.now);
        self.check();
    }

    /// Returns an output: always the same for a node, except that a list has other elements after a retry.
    fn value(&self, run: RunIx, key: &Key) -> Value {
        let number = key.0 * 7 + key.1.iter().map(|index| *index as usize).sum::<usize>();
        match &self.description.specs[key.0].what {
            Kind::Fork => Value::new([Direction::Left(1), Direction::Right(2), Direction::Neither][number % 3].clone()),
            Kind::List => {
                let cleared = self.runs[run as usize].cleared.get(key).copied().unwrap_or(0);
                let items = (0..(number + cleared * 2) % 5).map(|item| ((item * (1 + cleared % 2) + cleared) % 7) as u64);
                Value::new(items.collect::<Vec<u64>>())
            }
            _ => Value::new(number as u64),
        }
    }

    fn key(&self, run: RunIx, slot: Slot) -> Key {
        let shadow = &self.runs[run as usize].shadow;
        let number = |label: &Label| label.to_string().trim_matches(['[', ']']).parse().expect("keys are numbers here");
        (self.by_name[&shadow.plan().id(shadow.ix(slot))], shadow.layout().labels(slot).iter().map(number).collect())
    }
}

fn names(description: &Description) -> HashMap<String, usize> {
    description.specs.iter().enumerate().map(|(ix, spec)| (spec.name.clone(), ix)).collect()
}
