//! Recovery through the file: a core whose process ends, and another that resumes from what was stored. It uses no clocks and no
//! bodies, so every time is exact.

use super::{Reader, SqliteJournal, StoredEntry};
use crate::author::context::RunInfo;
use crate::author::value::Value;
use crate::engine::{Action, Answer, Answered, Core, Job, Journal, NodeState, Outbox, Run, RunSpec, RunState};
use crate::journal::StoredRun;
use crate::plan::Plan;
use crate::prelude::*;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const START: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);
const RUN: u32 = 0;

/// One run, through several lives of its process.
struct Lives {
    folder: tempfile::TempDir,
    plan: Arc<Plan>,
    journal: Option<Arc<SqliteJournal>>,
    core: Core,
    now: Timestamp,
    /// The work of this life.
    starts: VecDeque<Job>,
    deliveries: Vec<(u32, String)>,
    commits: usize,
}

fn after(text: &str) -> Timestamp {
    START + humantime::parse_duration(text).unwrap()
}

impl Lives {
    fn of(pipeline: &Pipeline) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
        let journal = Arc::new(SqliteJournal::open(&folder.path().join("journal.db")).unwrap());
        let stored = StoredRun { seed: 7, ..StoredRun::begun_by_hand(&plan, "manual__1", START) };
        let key = journal.enter(&stored, &[]);
        let mut lives = Self {
            folder,
            plan,
            journal: Some(journal),
            core: Core::new(128),
            now: START,
            starts: VecDeque::new(),
            deliveries: Vec::new(),
            commits: 0,
        };
        let spec = lives.spec(&StoredRun { key, ..stored });
        lives.core.start(spec, START);
        lives.take();
        lives
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.db")
    }

    fn spec(&self, run: &StoredRun) -> RunSpec {
        let info = RunInfo {
            previous: run.previous.into(),
            ..RunInfo::new(&run.pipeline, &run.run_id, run.interval, run.params.clone())
        };
        RunSpec { plan: Arc::clone(&self.plan), info: Arc::new(info), sla_from: run.sla_from, seed: run.seed, key: run.key }
    }

    /// Submits the records, and notes the starts and deliveries that follow.
    fn take(&mut self) {
        let mut outbox: Outbox = std::mem::take(self.core.outbox());
        self.commits += 1;
        self.starts.extend(outbox.todo.starts.drain(..));
        for action in outbox.todo.actions.drain(..) {
            if let Action::Deliver { id, notification, .. } = action {
                self.deliveries.push((id, notification.name().to_owned()));
            }
        }
        let core = &self.core;
        self.journal.as_mut().unwrap().submit(&mut outbox, &|run| core.run(run).map(|run| &**run.spec()));
    }

    /// The process ends, and another resumes the run at `at`, with only the file.
    fn dies_until(&mut self, at: Timestamp) {
        self.journal = None;
        let reader = Reader::open(&self.path()).unwrap();
        let run = reader.run("manual__1").unwrap().unwrap();
        let entries = StoredEntry::decode(&self.plan, reader.entries(run.key).unwrap()).unwrap();
        (self.core, self.now) = (Core::new(128), at);
        (self.starts, self.deliveries) = (VecDeque::new(), Vec::new());
        self.journal = Some(Arc::new(SqliteJournal::open(&self.path()).unwrap()));
        let spec = self.spec(&run);
        self.core.resume(Run::replay(spec, run.created, &entries).unwrap(), at);
        self.core.advance(at);
        self.take();
    }

    fn until(&mut self, at: Timestamp) {
        self.now = at;
        self.core.advance(at);
        self.take();
    }

    /// Answers the first start.
    fn answer(&mut self, what: Answered, memory: Option<&str>) {
        let job = self.starts.pop_front().expect("something was started");
        self.core.answer(job, Answer::new(what, memory.map(Into::into)), self.now);
        self.take();
    }

    fn run(&self) -> &Run {
        self.core.run(RUN).unwrap()
    }

    fn node(&self, id: &str) -> (NodeState, u32) {
        let node = self.run().node(self.run().layout().find(&self.plan, id).unwrap());
        (node.state(), node.attempt())
    }

    fn error(&self, id: &str) -> String {
        let node = self.run().node(self.run().layout().find(&self.plan, id).unwrap());
        node.failure().map(|failure| failure.error().to_owned()).unwrap_or_default()
    }
}

fn success<T: crate::Data>(value: T) -> Answered {
    let value = Value::new(value);
    let json = value.encode(usize::MAX).unwrap();
    Answered::Success(value, Some(json.into()))
}

#[sensor(timeout = "10m", poke = "45s", retries = 1, retry_delay = "2m")]
async fn look() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[task(retries = 1, retry_delay = "1m")]
async fn work(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline]
fn sensing() {
    look();
}

#[pipeline]
fn working() {
    work(1);
}

#[test]
fn a_sensor_keeps_its_next_poke_and_what_it_remembers() {
    let mut lives = Lives::of(&sensing());
    lives.until(after("2s"));
    lives.answer(Answered::NotYet(None), Some("seen"));
    lives.dies_until(after("10s"));
    assert!(lives.starts.is_empty(), "no poke before it is due");
    assert_eq!(lives.core.next_due(), after("45s"));
    lives.until(after("45s"));
    assert_eq!(lives.starts.len(), 1);
    let memory = lives.run().node(0).memory().cloned();
    assert_eq!(memory.as_deref(), Some("seen"));
}

#[test]
fn a_sensor_keeps_its_budget_and_gets_one_poke_after_it_passed_meanwhile() {
    let mut lives = Lives::of(&sensing());
    lives.answer(Answered::NotYet(None), None);
    lives.dies_until(after("9m 30s"));
    assert_eq!(lives.starts.len(), 1, "the poke that was due is made at once");
    lives.answer(Answered::NotYet(None), None);
    assert_eq!(lives.core.next_due(), after("10m"), "the last poke is at the deadline, not an interval later");
    lives.dies_until(after("3h"));
    lives.answer(Answered::NotYet(None), None);
    assert_eq!(lives.node("look"), (NodeState::Failed, 1));
    assert_eq!(lives.error("look"), "timed out: not ready within 10m (3 pokes)");
}

#[test]
fn a_retry_that_is_due_keeps_its_time() {
    let mut lives = Lives::of(&working());
    lives.answer(Answered::Error("503".into()), None);
    lives.dies_until(after("20s"));
    assert!(lives.starts.is_empty());
    assert_eq!(lives.core.next_due(), after("1m"));
    lives.until(after("1m"));
    lives.answer(Answered::Error("503".into()), None);
    assert_eq!(lives.node("work"), (NodeState::Failed, 2));
}

#[test]
fn an_attempt_cut_off_uses_no_retry_and_the_third_in_a_row_fails() {
    let mut lives = Lives::of(&working());
    for _ in 0..2 {
        lives.dies_until(after("5s"));
        assert_eq!((lives.node("work"), lives.starts.len()), ((NodeState::Running, 1), 1));
    }
    lives.dies_until(after("10s"));
    assert_eq!(lives.node("work"), (NodeState::UpForRetry, 2), "the third is a failed attempt, and there is a retry");
    lives.until(after("1m 10s"));
    // The interruptions of the next attempt count from zero.
    lives.dies_until(after("2m"));
    lives.dies_until(after("3m"));
    lives.answer(success(7_u64), None);
    assert_eq!(lives.node("work"), (NodeState::Success, 2));
}

#[test]
fn the_count_of_deaths_begins_anew_with_each_poke() {
    let mut lives = Lives::of(&sensing());
    for poke in 1..=4_u32 {
        lives.dies_until(lives.now);
        lives.dies_until(lives.now);
        lives.answer(Answered::NotYet(None), None);
        lives.until(START + Duration::from_secs(45) * poke);
    }
    assert_eq!(lives.node("look"), (NodeState::Running, 1));
}

async fn page(_: Notification) {}

#[task(on_success = page)]
async fn telling() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn notifying() {
    telling();
}

#[test]
fn a_callback_that_is_due_is_delivered_by_the_next_process_until_somebody_was_told() {
    let mut lives = Lives::of(&notifying());
    lives.answer(success(1_u64), None);
    assert_eq!((lives.run().state(), lives.deliveries.len()), (RunState::Success, 1));
    // Nobody was notified when it died.
    let due = || Reader::open(&lives.path()).unwrap().with_due_callbacks().unwrap().len();
    lives.journal.as_ref().unwrap().close();
    assert_eq!(due(), 1);
    lives.dies_until(after("1h"));
    let [(id, name)] = lives.deliveries.as_slice() else { panic!("{:?}", lives.deliveries) };
    assert_eq!(name, "on_success");
    lives.core.delivered(RUN, *id, Ok(()), lives.now);
    lives.take();
    lives.dies_until(after("2h"));
    assert!(lives.deliveries.is_empty(), "once is enough");
    assert!(Reader::open(&lives.path()).unwrap().with_due_callbacks().unwrap().is_empty());
}

#[pipeline(sla = "45m", on_sla_miss = page)]
fn watched() {
    look().timeout(Duration::from_hours(10));
}

#[test]
fn an_sla_counts_from_where_it_counted_and_fires_once() {
    let mut lives = Lives::of(&watched());
    lives.answer(Answered::NotYet(None), None);
    lives.dies_until(after("44m"));
    lives.answer(Answered::NotYet(None), None);
    assert!(lives.deliveries.is_empty());
    lives.until(after("45m"));
    assert_eq!(lives.deliveries.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["on_sla_miss"]);
    let (id, _) = lives.deliveries[0];
    lives.core.delivered(RUN, id, Ok(()), lives.now);
    lives.take();
    lives.dies_until(after("1h"));
    lives.until(after("2h"));
    assert!(lives.deliveries.is_empty(), "it has fired");
}

#[test]
fn an_sla_that_passed_meanwhile_fires_at_once() {
    let mut lives = Lives::of(&watched());
    lives.answer(Answered::NotYet(None), None);
    lives.dies_until(after("3h"));
    assert_eq!(lives.deliveries.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["on_sla_miss"]);
}

#[task]
async fn list() -> Result<Vec<u64>> {
    Ok(vec![1, 2, 3])
}

#[task]
async fn sum(all: Vec<u64>) -> Result<u64> {
    Ok(all.iter().sum())
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Large(u64),
    Small,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    Ok(if n > 9 { Route::Large(n) } else { Route::Small })
}

#[task]
async fn clean(failure: Failure) -> Result<()> {
    let _ = failure;
    Ok(())
}

/// A mapping, a branch, a failure and its gate.
#[pipeline]
fn shaped() {
    let total = sum(list().each(work));
    let RouteArms { large, small } = route(total);
    let large = work(large).named("on_large");
    telling().named("on_small").after(small);
    clean(large.failure());
}

/// The answers of the bodies.
fn body(id: &str) -> Answered {
    match id {
        "list" => success(vec![1_u64, 2, 3]),
        "work[1]" => Answered::Skip("nothing to do".into()),
        "sum" => success(12_u64),
        "route" => success(Route::Large(12)),
        "on_large" => Answered::Fatal("the warehouse is closed".into()),
        "clean" => success(()),
        _ => success(7_u64),
    }
}

impl Lives {
    /// Continues until nothing is left to do, or that many commits were made.
    fn on(&mut self, commits: usize) {
        while let (Some(Job { slot, .. }), true) = (self.starts.front().copied(), self.commits < commits) {
            let what = body(&self.run().id(slot));
            self.answer(what, None);
        }
    }

    fn end(&self) -> Vec<String> {
        let run = self.run();
        let nodes = (0..).zip(run.nodes()).map(|(slot, node)| format!("{} {} {:?}", run.id(slot), node.state(), node.value()));
        nodes.chain([run.state().to_string()]).collect()
    }
}

#[test]
fn wherever_it_dies_a_run_ends_as_one_that_does_not() {
    let mut whole = Lives::of(&shaped());
    whole.on(usize::MAX);
    assert!(whole.run().state().is_end(), "{:?}", whole.end());
    for dies_at in 1..=whole.commits {
        let mut lives = Lives::of(&shaped());
        lives.on(dies_at);
        let done: Vec<String> = lives.end();
        lives.dies_until(after("1m"));
        let again: Vec<String> = lives.starts.iter().map(|job| lives.run().id(job.slot)).collect();
        for id in &again {
            let ended = [" success ", " failed ", " skipped "]
                .iter()
                .any(|state| done.iter().any(|line| line.starts_with(&format!("{id}{state}"))));
            assert!(!ended, "{id} had ended, and runs again: {done:?}");
        }
        lives.on(usize::MAX);
        assert_eq!(lives.end(), whole.end(), "died after {dies_at} commits");
    }
}
