//! Compares the scheduler with a plain reference without indexes, over random ticks, ends, cancels, retries, pauses, restarts,
//! backfills, and failed starts.
//!
//! `SCHEDULER_STEPS=1000000 cargo test -p pipeline-runtime --lib scheduler::model` takes more steps. A failure prints its seed,
//! which `SCHEDULER_SEED` repeats.

use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

/// A run as the journal would have it.
#[derive(Debug, Clone, Copy)]
struct Run {
    turn: Turn,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    Active,
    /// Unfinished, and not hosted by this process.
    Elsewhere,
    /// Queued, but could not start in this process.
    Blocked,
    /// At that step.
    Ended(RunState, usize),
}

/// The rules in their plainest form: each question is answered by a scan of all runs.
struct World {
    timetable: Timetable,
    runs: Vec<Run>,
    paused: bool,
    watched_since: Option<Timestamp>,
    held_until: Option<Timestamp>,
    now: Timestamp,
    step: usize,
}

impl World {
    fn allows(&self, start: DateTime<Utc>) -> bool {
        let of_interval = || self.runs.iter().filter(|run| run.turn.interval.start == start);
        let newest = of_interval()
            .filter_map(|run| if let Phase::Ended(state, at) = run.phase { Some((at, state)) } else { None })
            .max_by_key(|(at, _)| *at);
        of_interval().all(|run| matches!(run.phase, Phase::Ended(..)))
            && newest.is_none_or(|(_, state)| state == RunState::Success)
    }

    fn active(&self, backfills: bool) -> usize {
        let is_meant = |run: &&Run| run.phase == Phase::Active && (run.turn.kind == RunKind::Backfill) == backfills;
        self.runs.iter().filter(is_meant).count()
    }

    fn last(&self) -> Option<Interval> {
        let scheduled = self.runs.iter().filter(|run| run.turn.kind == RunKind::Scheduled);
        scheduled.map(|run| run.turn.interval).max_by_key(|interval| interval.start)
    }

    fn may_begin(&self, turn: &Turn) -> bool {
        if turn.kind != RunKind::Backfill {
            return self.active(false) < self.timetable.max_active_runs as usize;
        }
        let limit = turn.max_active.unwrap_or(self.timetable.max_active_runs) as usize;
        let past = self.timetable.before(turn.interval).filter(|_| self.timetable.depends_on_past);
        self.active(true) < limit && past.is_none_or(|before| self.allows(before))
    }

    fn next(&self) -> Option<DueRun> {
        if self.held_until.is_some_and(|until| until > self.now) {
            return None;
        }
        let queued = self.runs.iter().filter(|run| run.phase == Phase::Queued && self.may_begin(&run.turn));
        if let Some(run) = queued.min_by_key(|run| run.turn.key) {
            return Some(DueRun::Queued { pipeline: "p".into(), turn: run.turn });
        }
        let since = self.watched_since.filter(|_| !self.paused)?;
        let has_place = self.active(false) < self.timetable.max_active_runs as usize;
        let last = self.last();
        let past_allows = !self.timetable.depends_on_past || last.is_none_or(|last| self.allows(last.start));
        let schedule = self.timetable.schedule.as_ref()?;
        let due = self.timetable.window.due(schedule, last, self.now.to_utc()).next();
        let interval = due.filter(|_| has_place && past_allows)?;
        Some(DueRun::Interval { pipeline: "p".into(), interval, on_time: interval.end >= since.to_utc() })
    }

    /// Returns what the journal knows of an interval that a run starts to wait for.
    fn outcome(&self, start: DateTime<Utc>) -> Option<RunState> {
        let ended = self.runs.iter().filter(|run| run.turn.interval.start == start);
        let ended = ended.filter_map(|run| if let Phase::Ended(state, at) = run.phase { Some((at, state)) } else { None });
        ended.max_by_key(|(at, _)| *at).map(|(_, state)| state)
    }
}

struct Model {
    random: StdRng,
    world: World,
    scheduler: Scheduler,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let schedule = Schedule::parse(["@daily", "@hourly", "0 6 * * 1,4"][random.random_range(0..3)], "Europe/Berlin").unwrap();
        let start = random.random_bool(0.5).then_some("2024-03-20");
        let window = Window::parse(start, None, random.random_bool(0.5), schedule.zone()).unwrap();
        let timetable = Timetable {
            schedule: Some(schedule),
            window,
            max_active_runs: random.random_range(1..4),
            depends_on_past: random.random_bool(0.7),
        };
        let now: DateTime<Utc> = "2024-03-29T12:00:00Z".parse().unwrap();
        let watched_since = random.random_bool(0.7).then_some(now.into());
        let world =
            World { timetable, runs: Vec::new(), paused: false, watched_since, held_until: None, now: now.into(), step: 0 };
        let mut model = Self { random, world, scheduler: Scheduler::default() };
        model.restart();
        model
    }

    /// A process ends, and another takes over the journal, or most of it.
    fn restart(&mut self) {
        self.scheduler = Scheduler::default();
        let world = &mut self.world;
        world.held_until = None;
        world.watched_since = world.watched_since.map(|_| world.now);
        let last = world.last();
        let unfinished: Vec<Turn> =
            world.runs.iter().filter(|run| !matches!(run.phase, Phase::Ended(..))).map(|run| run.turn).collect();
        let outcome = last.and_then(|last| world.outcome(last.start));
        let known = JournaledState { last, outcome, paused: world.paused, unfinished, ..JournaledState::default() };
        self.scheduler.add("p", world.timetable.clone(), known, world.watched_since);
        for at in 0..self.world.runs.len() {
            let Run { turn, phase } = self.world.runs[at];
            match phase {
                Phase::Ended(..) => {}
                Phase::Queued | Phase::Blocked => {
                    self.world.runs[at].phase = Phase::Queued;
                    self.queue(turn);
                }
                Phase::Active | Phase::Elsewhere => {
                    let is_taken_on = self.random.random_bool(0.8);
                    self.world.runs[at].phase = if is_taken_on { Phase::Active } else { Phase::Elsewhere };
                    if is_taken_on {
                        self.scheduler.began("p", turn);
                    }
                }
            }
        }
    }

    fn queue(&mut self, turn: Turn) {
        if let Some(start) = self.scheduler.queue("p", turn)
            && let Some(state) = self.world.outcome(start)
        {
            self.scheduler.outcome("p", start, state);
        }
    }

    fn enter(&mut self, kind: RunKind, interval: Interval, max_active: Option<u32>, phase: Phase) -> Turn {
        let turn = Turn { key: RunKey::try_from(self.world.runs.len()).unwrap() + 1, kind, interval, max_active };
        self.world.runs.push(Run { turn, phase });
        turn
    }

    /// Picks a random run in such a state.
    fn one_that(&mut self, is_meant: impl Fn(Phase) -> bool) -> Option<usize> {
        let those: Vec<usize> = (0..self.world.runs.len()).filter(|at| is_meant(self.world.runs[*at].phase)).collect();
        (!those.is_empty()).then(|| those[self.random.random_range(0..those.len())])
    }

    fn end(&mut self, at: usize, state: RunState) {
        let Run { turn: Turn { key, .. }, phase } = self.world.runs[at];
        self.world.runs[at].phase = Phase::Ended(state, self.world.step);
        // A blocked run that holds nothing up is no longer known.
        let is_known = phase != Phase::Blocked || self.world.timetable.depends_on_past;
        assert_eq!(self.scheduler.ended("p", key, state) != EndEffect::Unknown, is_known);
        assert_eq!(self.scheduler.ended("p", key, state), EndEffect::Unknown, "it has ended once");
    }

    fn backfill(&mut self) {
        let days = self.random.random_range(0..9_i64);
        let from = self.world.now.to_utc() - chrono::TimeDelta::hours(self.random.random_range(1..200));
        let schedule = self.world.timetable.schedule.clone().unwrap();
        let now = self.world.now.to_utc();
        let intervals: Vec<Interval> =
            schedule.intervals(from, from + chrono::TimeDelta::days(days)).take(12).take_while(|of| of.end <= now).collect();
        let all = self.random.random_bool(0.4);
        let max = self.random.random_bool(0.5).then(|| self.random.random_range(1..5));
        for interval in intervals {
            let newest = self.world.runs.iter().rev().find(|run| run.turn.interval.start == interval.start);
            let takes = newest.is_none_or(|run| all && matches!(run.phase, Phase::Ended(..)));
            if takes {
                let turn = self.enter(RunKind::Backfill, interval, max, Phase::Queued);
                self.queue(turn);
            }
        }
    }

    fn step(&mut self) {
        self.world.step += 1;
        match self.random.random_range(0..100) {
            0..20 => self.world.now = self.world.now + Duration::from_mins(self.random.random_range(1..600)),
            20..60 => {
                if let Some(at) = self.one_that(|phase| phase == Phase::Active) {
                    let state = [RunState::Success, RunState::Success, RunState::Success, RunState::Failed, RunState::Cancelled];
                    let state = state[self.random.random_range(0..state.len())];
                    self.end(at, state);
                }
            }
            60..66 => {
                if let Some(at) = self.one_that(|phase| matches!(phase, Phase::Queued | Phase::Elsewhere | Phase::Blocked)) {
                    self.end(at, RunState::Cancelled);
                }
            }
            66..72 => {
                // It is retried.
                if let Some(at) = self.one_that(|phase| matches!(phase, Phase::Ended(state, _) if state != RunState::Success)) {
                    self.world.runs[at].phase = Phase::Active;
                    self.scheduler.began("p", self.world.runs[at].turn);
                }
            }
            72..80 => {
                let ago = chrono::TimeDelta::hours(self.random.random_range(0..100));
                let schedule = self.world.timetable.schedule.as_ref().unwrap();
                let interval = schedule.interval_starting_at_or_before(self.world.now.to_utc() - ago).unwrap();
                let turn = self.enter(RunKind::Manual, interval, None, Phase::Queued);
                self.queue(turn);
            }
            80..90 => self.backfill(),
            90..93 => {
                self.world.paused = !self.world.paused;
                if !self.world.paused && self.world.watched_since.is_some() {
                    self.world.watched_since = Some(self.world.now);
                }
                self.scheduler.pause("p", self.world.paused, self.world.now);
            }
            93..95 => {
                let until = self.world.now + Duration::from_mins(self.random.random_range(1..100));
                self.world.held_until = Some(until);
                self.scheduler.hold("p", until);
            }
            _ => self.restart(),
        }
        self.begin();
    }

    fn begin(&mut self) {
        loop {
            let begin = self.scheduler.next(self.world.now);
            assert_eq!(begin, self.world.next(), "step {}", self.world.step);
            match begin {
                None => break,
                Some(DueRun::Queued { turn, .. }) => {
                    let at = self.world.runs.iter().position(|run| run.turn.key == turn.key).unwrap();
                    if self.random.random_bool(0.1) {
                        self.world.runs[at].phase = Phase::Blocked;
                        self.scheduler.set_aside("p", turn);
                    } else {
                        self.world.runs[at].phase = Phase::Active;
                        self.scheduler.began("p", turn);
                    }
                }
                Some(DueRun::Updated { .. }) => panic!("it waits for no asset"),
                Some(DueRun::Interval { interval, .. }) => {
                    let turn = self.enter(RunKind::Scheduled, interval, None, Phase::Active);
                    self.scheduler.began("p", turn);
                }
            }
        }
        let queued = self.world.runs.iter().filter(|run| run.phase == Phase::Queued).count();
        assert_eq!(self.scheduler.queued(), queued);
        assert_eq!(self.scheduler.active("p"), self.world.active(false));
    }
}

/// Prints the seed of a failed test.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SCHEDULER_SEED={}", self.0);
        }
    }
}

#[test]
fn it_decides_as_the_rules_do_by_the_book() {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let steps = number("SCHEDULER_STEPS").unwrap_or(6_000);
    let first = number("SCHEDULER_SEED").unwrap_or_else(rand::random);
    // Short lives, so that the reference has few runs to scan.
    for life in 0..steps.div_ceil(200) {
        let seed = Seed(first.wrapping_add(life));
        let mut model = Model::new(seed.0);
        (0..200).for_each(|_| model.step());
    }
}
