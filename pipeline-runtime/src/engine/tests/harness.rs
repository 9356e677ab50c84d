//! Drives a core as the runtime would, with random answers at random times, and checks it at every step.

use super::super::core::Core;
use super::super::effects::{Action, Answer, Answered, Outbox, Todo};
use super::super::ids::{Job, RunIx, Slot};
use super::super::log::{Entry, Output, Record, Skip, translate};
use super::super::rules::Edit;
use super::super::state::{Changes, Label, Run, RunSpec, reconsider};
use super::model::{Key, Model};
use super::recipe::{self, Allowed, Description, Entropy, Kind, NARROW, WIDER, Way};
use crate::author::context::RunInfo;
use crate::author::value::Value;
use crate::engine::{NodeState, RunState};
use crate::plan::{Accepts, Plan};
use crate::schedule::Interval;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

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

/// Ignores what a record changes.
struct IgnoreChanges;
impl Changes for IgnoreChanges {}

/// How a body answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Success,
    Error,
    Fatal,
    Skip,
    NotYet,
}

/// The bodies' answers: by the run, the node, its attempt, and how often it has answered `NotYet`.
pub(super) type Bodies = Box<dyn FnMut(&mut Entropy, &Key, u32, u32) -> Ends>;

/// What may happen besides answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Troubles {
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

#[derive(Debug)]
struct Started {
    job: Job,
    attempt: u32,
    aborted: bool,
}

/// A run as the test sees it.
struct Watched {
    model: Model,
    /// All records so far.
    entries: Vec<Entry>,
    /// The state that they fold to.
    shadow: Run,
    cancelled: bool,
    /// It has ended, and was not retried since.
    is_over: bool,
    /// It is being resumed: first come the records of what the crash cut off, then everything that follows.
    resuming: bool,
    retries: HashMap<Key, u32>,
    interrupted: HashMap<Key, u32>,
    not_yets: HashMap<Key, u32>,
    /// Sensors whose deadline passed while no process had the run: each may be poked once more.
    grace: BTreeSet<Key>,
    /// Sensors whose poke is due and got no permit.
    unserved: BTreeSet<Key>,
    /// Nodes that were started since they were last cleared.
    begun: BTreeSet<Key>,
    /// How often each list was cleared: each time its output differs.
    cleared: HashMap<Key, usize>,
}

impl Watched {
    /// All interruptions by the crash are recorded.
    fn resumed(&mut self) {
        self.resuming = false;
        if !self.is_over {
            self.model.settle();
        }
    }

    /// A record that follows from others must be what the model derives. The model derives everything that one event causes at
    /// once, so an element that the new list no longer has may have been decided before.
    fn follows(&self, key: &Key, state: NodeState, name: &str) {
        let of_model = self.model.state(key);
        assert!(of_model == Some(state) || !self.model.has(key), "{name} {:?} is {state} and not {of_model:?}", key.1);
    }

    fn failed(&mut self, key: &Key) {
        if self.resuming {
            self.model.end_unsettled(key, NodeState::Failed);
        } else {
            self.model.end(key, NodeState::Failed);
        }
    }

    /// A body or a poke starts: not after the sensor's deadline, if it waited for a permit until then.
    fn started(&mut self, slot: Slot, key: &Key, at: Timestamp) {
        let node = self.shadow.node(slot);
        let deadline = self.shadow.plan().policy(node.ix()).sensor.as_ref().and_then(|sensor| node.deadline(sensor));
        let is_late = deadline.is_some_and(|deadline| at > deadline) && node.awaits_next();
        let (may, waited) = (self.grace.remove(key), self.unserved.remove(key));
        assert!(!is_late || may || !waited, "a poke that found no permit was started after its sensor's deadline");
        self.begun.insert(key.clone());
    }
}

/// The source of the plan, from which it is built again with more nodes.
pub(super) struct Origin {
    pub(super) choices: Entropy,
    pub(super) allowed: Allowed,
}

pub(super) struct Harness {
    core: Core,
    plan: Arc<Plan>,
    of: Arc<Description>,
    by_name: HashMap<String, usize>,
    origin: Origin,
    growths: Vec<Entropy>,
    parallelism: u32,
    now: Timestamp,
    runs: Vec<Watched>,
    in_flight: Vec<Started>,
    /// The mappings whose lists are to be inspected, each with the number of its request.
    asked: Vec<(u64, RunIx, Key)>,
    answered: Vec<Job>,
    entropy: Entropy,
    bodies: Bodies,
    troubles: Troubles,
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

/// A core that compares its worklist with a derived one.
fn core(parallelism: u32) -> Core {
    let mut core = Core::new(parallelism);
    core.shared().compares_worklists = true;
    core
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

impl Harness {
    pub(super) fn new(
        (plan, of): (Arc<Plan>, Arc<Description>),
        origin: Origin,
        mut entropy: Entropy,
        bodies: Bodies,
        troubles: Troubles,
    ) -> Self {
        let parallelism = 1 + index(entropy.below(4));
        let by_name = names(&of);
        Self {
            core: core(parallelism),
            plan,
            of,
            by_name,
            origin,
            growths: Vec::new(),
            parallelism,
            now: START,
            runs: Vec::new(),
            in_flight: Vec::new(),
            asked: Vec::new(),
            answered: Vec::new(),
            entropy,
            bodies,
            troubles,
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
        self.runs.push(Watched {
            model: Model::new(Arc::clone(&self.of)),
            entries: Vec::new(),
            shadow,
            cancelled: false,
            is_over: false,
            resuming: false,
            retries: HashMap::new(),
            interrupted: HashMap::new(),
            not_yets: HashMap::new(),
            grace: BTreeSet::new(),
            unserved: BTreeSet::new(),
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
            if self.are_over() && self.retried < self.troubles.retries && self.entropy.once_in(2) {
                self.retry();
            }
        }
        for (pool, used) in self.core.shared().pools.used() {
            assert_eq!(used, 0, "pool {pool} has permits that nobody owns");
        }
        let ends = |run: &Watched| run.shadow.slots().map(|slot| (run.shadow.id(slot), run.shadow.node(slot).state())).collect();
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

    /// The process ends, and another resumes the runs with the plan as it was before its last growth, as if a user had accepted
    /// that. Returns how many nodes were dropped; `None` if the plan has not grown.
    pub(super) fn shrink(mut self) -> Option<usize> {
        self.growths.pop()?;
        let (plan, of) = recipe::grown(self.origin.choices.clone(), self.origin.allowed, self.growths.clone()).ok()?;
        let remap = plan.match_skeleton(&self.plan.skeleton(), Accepts::Removals).expect("nodes are only gone")?;
        let mut remaps = Vec::new();
        for watched in &self.runs {
            let mut remap = remap.clone();
            let records: Vec<&Record> = watched.entries.iter().map(|entry| &entry.record).collect();
            remap.reopen(reconsider(&plan, &remap, &records).expect("what is gone is what nothing else takes"));
            remaps.push(remap);
        }
        (self.plan, self.of) = (plan, of);
        self.by_name = names(&self.of);
        self.core = core(self.parallelism);
        self.core.hold();
        let mut done: Vec<BTreeSet<Slot>> = Vec::new();
        for (ix, watched) in self.runs.iter_mut().enumerate() {
            translate(&mut watched.entries, &remaps[ix], |entry| &mut entry.record);
            let replay =
                || Run::replay(spec(&self.plan, index(ix)), START, &watched.entries).expect("what is left follows on itself");
            watched.shadow = replay();
            let run = &watched.shadow;
            done.push(run.slots().filter(|slot| run.node(*slot).state() == NodeState::Success).collect());
            self.core.resume(replay(), self.now);
        }
        self.core.open(self.now);
        self.finish_quietly(&done);
        Some(remap.removed.len())
    }

    /// Lets all bodies succeed until the runs have ended. No node that had succeeded starts again.
    fn finish_quietly(&mut self, done: &[BTreeSet<Slot>]) {
        let mut jobs: Vec<Job> = Vec::new();
        let mut steps = 0;
        loop {
            let Outbox { records, todo: Todo { starts, actions }, garbage: _ } = std::mem::take(self.core.outbox());
            for (run, entry) in records.iter() {
                self.runs[run as usize].shadow.apply(&entry, &mut IgnoreChanges);
            }
            for job in starts {
                assert!(!done[job.run as usize].contains(&job.slot), "what had succeeded ran again");
                jobs.push(job);
            }
            let mut has_asked = false;
            for action in actions {
                if let Action::Look { run, slot, number } = action {
                    let look = self.runs[run as usize].shadow.look(slot).expect("its list is there");
                    self.core.looked(number, look.look(), self.now);
                    has_asked = true;
                }
            }
            if has_asked {
                continue;
            }
            if jobs.is_empty() && self.runs.iter().all(|run| run.shadow.state().is_end()) {
                return;
            }
            if let Some(job) = jobs.pop() {
                let key = self.key(job.run, job.slot);
                let answer = Answered::Success(self.value(job.run, &key), None);
                self.core.answer(job, answer.into(), self.now);
            } else {
                let next = self.core.next_due();
                assert_ne!(next, Timestamp::NEVER, "nothing is due:\n{}", fold(&self.runs[0].shadow));
                self.now = self.now.max(next);
                self.core.advance(self.now);
            }
            steps += 1;
            assert!(steps < 20_000, "the run does not come to its end:\n{}", fold(&self.runs[0].shadow));
        }
    }

    fn step(&mut self) {
        match self.entropy.below(24) {
            13 | 14 if self.troubles.delays => {
                // The runtime may be late: an answer may come before the timers that were due.
                self.now = self.now + Duration::from_millis(self.entropy.below(9000) as u64);
                if self.entropy.once_in(2) {
                    self.advance();
                }
            }
            15 => self.wake(),
            16 if !self.answered.is_empty() => {
                // The core ignores a repeated answer.
                let job = self.answered[self.entropy.below(self.answered.len())];
                self.core.answer(job, Answered::Error("twice".into()).into(), self.now);
                assert!(self.core.outbox().records.is_empty(), "a start was answered twice");
                self.check();
            }
            17 if self.crashes < self.troubles.crashes && self.entropy.once_in(3) => self.crash(),
            18 if self.troubles.cancels && self.entropy.once_in(8) => self.cancel(),
            20 if self.retried < self.troubles.retries && self.entropy.once_in(2) => self.retry(),
            21 if self.skipped < self.troubles.skips && self.entropy.once_in(3) => self.skip(),
            3..=5 if !self.asked.is_empty() => self.look(),
            11 | 12 | 19 if self.in_flight.is_empty() || self.troubles.delays => self.pass_to_next_timer(),
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
        if !self.asked.is_empty() {
            return self.look();
        }
        let next = self.core.next_due();
        if next == Timestamp::NEVER {
            assert!(!self.in_flight.is_empty(), "nothing is under way and nothing is due:\n{}", fold(&self.runs[0].shadow));
            return self.answer();
        }
        self.now = self.now.max(next);
        self.advance();
    }

    /// Answers the inspection of a list. If its mapping does not wait for that any more, or has asked again, nothing follows.
    fn look(&mut self) {
        let at = self.entropy.below(self.asked.len());
        let (number, run, key) = self.asked.remove(at);
        let is_last = !self.asked.iter().any(|(later, of, asked)| *later > number && (*of, asked) == (run, &key));
        let shadow = &self.runs[run as usize].shadow;
        let is_it = |slot: &Slot| shadow.node(*slot).state() != NodeState::Removed && self.key(run, *slot) == key;
        let slot = shadow.slots().find(is_it);
        let seen = slot.and_then(|slot| self.runs[run as usize].shadow.look(slot)).map(|look| look.look());
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
        self.answered.push(job);
        let key = self.key(run, slot);
        let kind = self.of.specs[key.0].what.clone();
        let answer = if started.aborted && !self.entropy.once_in(3) {
            Answered::Aborted
        } else {
            let not_yets = self.runs[run as usize].not_yets.get(&key).copied().unwrap_or(0);
            match (self.bodies)(&mut self.entropy, &key, started.attempt, not_yets) {
                Ends::NotYet if kind == Kind::Sensor && self.entropy.once_in(4) => {
                    // Some of them have already passed.
                    let ahead = u64::try_from(self.entropy.below(600)).unwrap_or_default();
                    Answered::NotBefore(START + Duration::from_secs(ahead))
                }
                Ends::NotYet if kind == Kind::Sensor => Answered::NotYet(None),
                Ends::Success | Ends::NotYet => Answered::Success(self.value(run, &key), None),
                Ends::Error => Answered::Error("error".into()),
                Ends::Fatal => Answered::Fatal("fatal".into()),
                Ends::Skip => Answered::Skip("skip".into()),
            }
        };
        let memory = (kind == Kind::Sensor).then(|| format!("{start}").into());
        self.core.answer(job, Answer::new(answer, memory), self.now);
        self.check();
    }

    /// Returns an output: always the same for a node, except that a list has other elements after a retry.
    fn value(&self, run: RunIx, key: &Key) -> Value {
        let number = key.0 * 7 + key.1.iter().map(|index| *index as usize).sum::<usize>();
        match &self.of.specs[key.0].what {
            Kind::Fork => Value::new([Way::Left(1), Way::Right(2), Way::Neither][number % 3].clone()),
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

    /// The process ends, and another resumes the runs from their records: perhaps with a plan that has gained nodes, and perhaps
    /// with a retry first.
    fn crash(&mut self) {
        self.crashes += 1;
        let cut: Vec<(RunIx, Key)> = self
            .in_flight
            .drain(..)
            .filter(|started| !started.aborted)
            .map(|started| (started.job.run, started.job.slot))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(run, slot)| (run, self.key(run, slot)))
            .collect();
        self.answered.clear();
        self.asked.clear();
        self.runs.iter_mut().for_each(|watched| watched.unserved.clear());
        self.core = core(self.parallelism);
        self.now = self.now + Duration::from_secs(self.entropy.below(40) as u64);
        for watched in &self.runs {
            let again = Run::replay(watched.shadow.spec().as_ref().clone(), START, &watched.entries).unwrap();
            assert_eq!(fold(&again), fold(&watched.shadow), "records replayed do not give the state that they gave");
        }
        if self.growths.len() < self.troubles.growths && self.entropy.once_in(2) {
            self.grow();
        }
        // As in a process, nothing starts before all runs are resumed, so that the pools choose among all of them.
        self.core.hold();
        for ix in 0..self.runs.len() {
            self.resume(index(ix), &cut);
        }
        self.core.open(self.now);
        self.check();
    }

    fn resume(&mut self, run: RunIx, cut: &[(RunIx, Key)]) {
        let now = self.now;
        self.runs[run as usize].resuming = true;
        let replay = |watched: &Watched| Run::replay(watched.shadow.spec().as_ref().clone(), START, &watched.entries).unwrap();
        let again = replay(&self.runs[run as usize]);
        for slot in again.slots() {
            let node = again.node(slot);
            let deadline = again.plan().policy(node.ix()).sensor.as_ref().and_then(|sensor| node.deadline(sensor));
            if node.awaits_next() && deadline.is_some_and(|deadline| deadline <= now) {
                let key = self.key(run, slot);
                self.runs[run as usize].grace.insert(key);
            }
        }
        let was_running: Vec<(Slot, Key)> = again
            .slots()
            .filter(|slot| again.node(*slot).state() == NodeState::Running)
            .map(|slot| (slot, self.key(run, slot)))
            .collect();
        let retry = self.retried < self.troubles.retries && self.runs[run as usize].is_over && self.entropy.once_in(2);
        if retry {
            self.retried += 1;
            let edit = Edit::Retry { nodes: Vec::new(), downstream: self.entropy.once_in(2) };
            let checked = again.check_edit(&edit);
            match self.core.resume_edited(again, &edit, now) {
                Ok(resumed) => assert_eq!((resumed, checked), (run, Ok(()))),
                Err(error) => {
                    assert_eq!(checked, Err(error));
                    assert_eq!(self.core.resume(replay(&self.runs[run as usize]), now), run);
                }
            }
            return;
        }
        assert_eq!(self.core.resume(again, now), run);
        for (slot, key) in was_running.into_iter().filter(|(_, key)| cut.contains(&(run, key.clone()))) {
            let times = self.runs[run as usize].interrupted.entry(key).or_default();
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

    /// A deployment: the plan gains nodes, and the runs' records belong to the older plan.
    pub(super) fn grow(&mut self) {
        let choices: Vec<u16> = (0..40).map(|_| u16::try_from(self.entropy.below(1 << 16)).unwrap()).collect();
        let mut growths = self.growths.clone();
        growths.push(Entropy::new(choices));
        // A node may require two exclusive arms.
        let Ok((plan, of)) = recipe::grown(self.origin.choices.clone(), self.origin.allowed, growths.clone()) else { return };
        // Perhaps nothing could be added.
        let Some(remap) = plan.match_skeleton(&self.plan.skeleton(), Accepts::Additions).expect("nodes were only added") else {
            return;
        };
        (self.growths, self.plan, self.of) = (growths, plan, of);
        self.by_name = names(&self.of);
        for (ix, watched) in self.runs.iter_mut().enumerate() {
            translate(&mut watched.entries, &remap, |entry| &mut entry.record);
            watched.shadow = Run::replay(spec(&self.plan, index(ix)), START, &watched.entries).unwrap();
            watched.model.grow(Arc::clone(&self.of));
        }
    }

    /// Takes the work that the core left, and compares everything with the model.
    fn check(&mut self) {
        let Outbox { records, todo: Todo { starts, actions }, garbage: _ } = std::mem::take(self.core.outbox());
        let mut granted: Vec<(RunIx, Slot)> = Vec::new();
        let records: Vec<(RunIx, Entry)> = records.iter().collect();
        for (at, (run, entry)) in records.iter().enumerate() {
            self.edited(*run, &records[..at], &records[at..]);
            self.record(*run, entry.clone());
        }
        for job @ Job { run, slot, .. } in starts {
            let overlaps = self.in_flight.iter().any(|started| started.job.run == run && started.job.slot == slot);
            assert!(!overlaps, "{} was started while it runs", self.runs[run as usize].shadow.id(slot));
            let attempt = self.core.run(run).unwrap().node(slot).attempt();
            self.in_flight.push(Started { job, attempt, aborted: false });
            granted.push((run, slot));
        }
        for action in actions {
            match action {
                Action::Abort(job) => {
                    let of = self.in_flight.iter_mut().find(|of| of.job == job);
                    // Cut off by its limit, and again by the run's end.
                    of.expect("what is cut off runs").aborted = true;
                }
                Action::Look { run, slot, number } => self.asked.push((number, run, self.key(run, slot))),
                Action::Deliver { .. } => panic!("there are no callbacks"),
                // Another life may have begun in the same call.
                Action::Ended { run, state } => {
                    let ended = |(of, entry): &(RunIx, Entry)| {
                        *of == run && matches!(entry.record, Record::RunEnded { state: of } if of == state)
                    };
                    assert!(records.iter().any(ended));
                }
            }
        }
        for run in 0..self.runs.len() {
            if self.runs[run].resuming {
                self.runs[run].resumed();
            }
            self.check_run(index(run));
            self.note_unserved(index(run));
        }
        self.check_permits(&granted);
    }

    /// Notes the sensors whose poke is due and waits for a permit.
    fn note_unserved(&mut self, run: RunIx) {
        for slot in self.runs[run as usize].shadow.slots() {
            let node = self.runs[run as usize].shadow.node(slot);
            let is_due = node.awaits_next() && node.next().is_some_and(|next| next <= self.now);
            if is_due && self.core.node_work(run, slot).unwrap().queued {
                let key = self.key(run, slot);
                self.runs[run as usize].unserved.insert(key);
            }
        }
    }

    /// Applies an edit to the model at its first record: an edit is one event, and nothing follows before it is complete.
    fn edited(&mut self, run: RunIx, before: &[(RunIx, Entry)], from: &[(RunIx, Entry)]) {
        let is_skip = |entry: &Entry| matches!(entry.record, Record::Skipped { why: Skip::ByHand, .. });
        let is_of_edit = |entry: &Entry| is_skip(entry) || matches!(entry.record, Record::Cleared { .. });
        let goes_on = before.last().is_some_and(|(of, entry)| *of == run && is_of_edit(entry));
        let Some((_, first)) = from.first().filter(|(_, entry)| is_of_edit(entry) && !goes_on) else { return };
        let key = |slot: &Slot| self.key(run, *slot);
        let cleared: Vec<Key> = match &first.record {
            Record::Cleared { slots } => slots.iter().map(key).collect(),
            _ => Vec::new(),
        };
        let skips = from.iter().filter(|(of, entry)| *of == run && is_skip(entry));
        let skipped: Vec<Key> = skips
            .map(|(_, entry)| match &entry.record {
                Record::Skipped { slot, .. } => key(slot),
                _ => unreachable!(),
            })
            .collect();
        let watched = &mut self.runs[run as usize];
        for key in &cleared {
            watched.retries.remove(key);
            watched.interrupted.remove(key);
            watched.not_yets.remove(key);
            watched.grace.remove(key);
            watched.unserved.remove(key);
            watched.begun.remove(key);
            *watched.cleared.entry(key.clone()).or_default() += 1;
        }
        if !cleared.is_empty() {
            (watched.cancelled, watched.is_over) = (false, false);
        }
        watched.model.edit(&cleared, &skipped);
    }

    /// An element that a shorter list lost begins again when a longer list contains it.
    fn forget_fresh(&mut self, run: RunIx) {
        let shadow = &self.runs[run as usize].shadow;
        let fresh = |slot: &Slot| shadow.node(*slot).starts() == 0 && shadow.node(*slot).state() != NodeState::Removed;
        let fresh: Vec<Key> = shadow.slots().filter(fresh).map(|slot| self.key(run, slot)).collect();
        let watched = &mut self.runs[run as usize];
        for key in fresh {
            watched.retries.remove(&key);
            watched.interrupted.remove(&key);
            watched.not_yets.remove(&key);
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each record")]
    fn record(&mut self, run: RunIx, entry: Entry) {
        let record = entry.record.clone();
        // Elements have names once they exist.
        let slot_of = record.slot();
        let key = slot_of.map(|slot| self.key(run, slot));
        let watched = &mut self.runs[run as usize];
        if watched.resuming && !matches!(record, Record::Interrupted { .. } | Record::Retrying { .. } | Record::Failed { .. }) {
            watched.resumed();
        }
        if let (Record::Started { slot, .. }, Some(key)) = (&record, &key) {
            watched.started(*slot, key, entry.at);
        }
        assert_eq!(watched.shadow.check(&record), Ok(()), "{record:?}");
        watched.shadow.apply(&entry, &mut IgnoreChanges);
        watched.entries.push(entry);
        if let Record::Unfolded { .. } = record {
            self.forget_fresh(run);
        }
        let watched = &mut self.runs[run as usize];
        let (Some(slot), Some(key)) = (slot_of, key) else {
            if let Record::RunEnded { state } = record {
                let expected = if watched.cancelled { Some(RunState::Cancelled) } else { watched.model.run_state() };
                assert_eq!(Some(state), expected);
                watched.is_over = true;
            }
            return;
        };
        let name = &self.of.specs[key.0].name;
        match record {
            Record::Started { attempt, .. } => {
                assert!(watched.model.may_run(&key), "{name} {:?} was started before its inputs held", key.1);
                assert_eq!(watched.model.state(&key), None, "{name} was started again after it had ended");
                assert_eq!(attempt, 1 + watched.retries.get(&key).copied().unwrap_or(0), "{name}");
            }
            Record::NotYet { .. } => {
                *watched.not_yets.entry(key.clone()).or_default() += 1;
                watched.interrupted.remove(&key);
            }
            Record::Retrying { .. } => {
                let retries = watched.retries.entry(key.clone()).or_default();
                *retries += 1;
                assert!(*retries <= self.of.specs[key.0].retries, "{name} is retried too often");
                watched.interrupted.remove(&key);
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
                    watched.model.listed(&key, list.iter().map(|item| u32::try_from(*item).unwrap()).collect());
                }
                assert_eq!(watched.model.state(&key), None, "{name} ended twice");
                watched.model.end(&key, NodeState::Success);
            }
            Record::Failed { error, .. } => {
                assert_eq!(watched.model.state(&key), None, "{name} ended twice");
                if &*error == "error" {
                    let retries = watched.retries.get(&key).copied().unwrap_or(0);
                    assert_eq!(retries, self.of.specs[key.0].retries, "{name} was not retried");
                }
                watched.failed(&key);
            }
            Record::Skipped { why: Skip::Body(_) | Skip::Timeout(_), .. } => {
                assert_eq!(watched.model.state(&key), None, "{name} ended twice");
                watched.model.end(&key, NodeState::Skipped);
            }
            // These follow from others, as the model says.
            Record::Succeeded { output: None, .. } => {
                watched.follows(&key, NodeState::Success, name);
            }
            Record::Skipped { .. } => {
                watched.follows(&key, NodeState::Skipped, name);
            }
            Record::UpstreamFailed { .. } => {
                watched.follows(&key, NodeState::UpstreamFailed, name);
                let failure = watched.shadow.node(slot).failure().cloned().expect("a cause");
                let root = watched.shadow.layout().find(watched.shadow.plan(), failure.node()).expect("the root cause is a node");
                assert_eq!(watched.shadow.node(root).state(), NodeState::Failed, "the root cause of {name}");
            }
            Record::Interrupted { .. } | Record::Unfolded { .. } => {}
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn check_run(&self, run: RunIx) {
        let watched = &self.runs[run as usize];
        let of_core = self.core.run(run).unwrap();
        assert_eq!(fold(of_core), fold(&watched.shadow), "the state does not follow from the records");
        assert_eq!(of_core.state().is_end(), watched.is_over);
        let mut ended = 0;
        for (slot, node) in (0..).zip(of_core.nodes()) {
            let key = self.key(run, slot);
            if node.state() == NodeState::Removed {
                continue;
            }
            let expected = watched.model.state(&key);
            let name = of_core.id(slot);
            ended += usize::from(expected.is_some());
            assert_eq!(node.state().is_end().then_some(node.state()), expected, "{name}");
            // Nodes that a plan has gained since its run ended wait for a retry.
            if expected.is_none() && !watched.is_over && self.of.specs[key.0].what.is_body() {
                assert_eq!(watched.model.may_run(&key), node.state() != NodeState::None, "{name} is {}", node.state());
                let work = self.core.node_work(run, slot).unwrap();
                let goes_on = work.queued || work.attempt().is_some() || node.next().is_some();
                assert!(node.state() == NodeState::None || goes_on, "{name} is {} and nothing will wake it", node.state());
            }
        }
        assert_eq!(ended, watched.model.ended().count(), "the model has nodes that the core has not");
        if !watched.is_over {
            assert_eq!(watched.model.run_state(), None, "all nodes have ended, and the run has not");
        }
    }

    /// Checks permits: who owns them, and who waits for one.
    fn check_permits(&mut self, granted: &[(RunIx, Slot)]) {
        let sizes = HashMap::from([("default_pool", self.parallelism), ("narrow", NARROW.slots()), ("wider", WIDER.slots())]);
        let names = ["default_pool", "narrow", "wider"];
        let shared = self.core.shared();
        let used: HashMap<&str, u32> = shared.pools.used().collect();
        let names_in_core: Vec<&str> = shared.pools.used().map(|(name, _)| name).collect();
        let mut owned: HashMap<&str, u32> = HashMap::new();
        for (.., pool) in shared.in_flight.permits() {
            *owned.entry(names_in_core[pool as usize]).or_default() += 1;
        }
        let in_flight: BTreeSet<(RunIx, Slot)> = shared.in_flight.permits().map(|(run, slot, _)| (run, slot)).collect();
        let kept: Vec<((RunIx, Slot), u32)> = shared.kept_permits.iter().map(|(of, permit)| (*of, permit.pool())).collect();
        for ((run, slot), pool) in &kept {
            *owned.entry(names_in_core[*pool as usize]).or_default() += 1;
            let node = self.runs[*run as usize].shadow.node(*slot);
            assert!(
                node.state() == NodeState::Running && node.next().is_some(),
                "{} keeps its permit",
                self.runs[*run as usize].shadow.id(*slot)
            );
        }
        for (pool, used) in &used {
            assert_eq!(*used, owned.get(pool).copied().unwrap_or(0), "pool {pool} has permits that nobody owns");
            assert!(used <= &sizes[pool], "pool {pool} is overbooked");
        }
        let expected: BTreeSet<(RunIx, Slot)> =
            self.in_flight.iter().map(|started| (started.job.run, started.job.slot)).collect();
        assert_eq!(in_flight.len(), expected.len());
        let mut waiting: [Vec<(i32, String)>; 3] = Default::default();
        let mut first: [Vec<i32>; 3] = Default::default();
        for (ix, watched) in (0..).zip(&self.runs) {
            let run = &watched.shadow;
            for (slot, node) in (0..).zip(run.nodes()) {
                let spec = &self.of.specs[self.key(ix, slot).0];
                let wants = node.state() == NodeState::Scheduled || node.awaits_next();
                if wants && self.core.node_work(ix, slot).unwrap().queued {
                    waiting[spec.pool].push((spec.priority, run.id(slot)));
                }
                if granted.contains(&(ix, slot)) && node.starts() == 1 {
                    first[spec.pool].push(spec.priority);
                }
            }
        }
        for (pool, name) in names.into_iter().enumerate() {
            let is_full = used.get(name).is_some_and(|used| *used == sizes[name]);
            assert!(is_full || waiting[pool].is_empty(), "pool {name} has a permit, and {:?} waits", waiting[pool]);
            for (priority, id) in &waiting[pool] {
                assert!(first[pool].iter().all(|granted| granted >= priority), "{id} has priority and waits");
            }
        }
    }
}

fn names(of: &Description) -> HashMap<String, usize> {
    of.specs.iter().enumerate().map(|(ix, spec)| (spec.name.clone(), ix)).collect()
}
