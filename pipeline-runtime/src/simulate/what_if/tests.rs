//! A recorded run that is repeated: the same if nothing is changed; otherwise with known and unknown results.

use super::*;
use crate::engine::{Entry, Record};
use crate::prelude::*;
use crate::{NodeState, RunReport, RunState, Simulation};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use std::sync::atomic::{AtomicU32, Ordering};

#[sensor(timeout = "10m", poke = "45s", retries = 1)]
async fn export(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("export.json").await?.into())
}

#[sensor(timeout = "1h", poke = "1m", poke_jitter = "20s", retries = 2, retry_delay = "30s")]
async fn extra(ctx: Context, from: u64, breaks: u64) -> Result<Poke<u64>> {
    let pokes: u64 = ctx.recall()?.unwrap_or_default();
    ctx.remember(&(pokes + 1))?;
    if pokes + 1 == breaks {
        return Err("503".into());
    }
    Ok(if pokes >= from { Poke::Ready(pokes) } else { Poke::NotYet })
}

#[task(retries = 2, backoff(start = "10s", max = "5m", jitter = "7s"), timeout = "5m")]
async fn parts(ctx: Context, object: Object, count: u64, fails: u32) -> Result<Vec<u64>> {
    tokio::time::sleep(Duration::from_secs(3 + object.size)).await;
    if ctx.attempt() <= fails {
        return Err("no parts".into());
    }
    Ok((0..count).collect())
}

static UPLOADS: Pool = Pool::new("uploads", 2);

#[task(pool = UPLOADS)]
async fn upload(part: u64, slow: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(1 + (part * 7 + slow) % 11)).await;
    if (part + slow) % 5 == 4 { Err(TaskError::skip("nothing new")) } else { Ok(part * 10) }
}

#[task]
async fn publish(uploaded: Vec<u64>, extra: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_millis(1500)).await;
    Ok(uploaded.len() as u64 + extra)
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Options {
    count: u64,
    fails: u32,
    slow: u64,
    from: u64,
    breaks: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { count: 3, fails: 0, slow: 0, from: 2, breaks: 0 }
    }
}

#[pipeline(timeout = "5h")]
fn nightly(options: Options) -> Result<()> {
    let parts = parts(export(Bucket::open("memory://data")?), options.count, options.fails);
    let uploaded = parts.each(|part| upload(part, options.slow));
    publish(uploaded, extra(options.from, options.breaks));
    Ok(())
}

/// A run as a journal would have recorded it.
fn recorded(simulation: Simulation<'_>, seed: u64, params: impl serde::Serialize) -> (StoredRun, RunHistory) {
    let report: RunReport = simulation.seed(seed).params(params).run();
    let mut history = report.history().clone();
    for slot in history.listed() {
        if let Some(value) = report.value(slot) {
            history.node_has_output(slot, value.encode(usize::MAX).unwrap().into());
        }
    }
    let begun = StoredRun::begun_by_hand(history.plan(), "manual__1", history.started);
    let stored = StoredRun { state: history.state, seed, ..begun };
    (stored, history)
}

fn what_if((stored, history): &(StoredRun, RunHistory), assumptions: &Assumptions) -> WhatIf {
    WhatIf::of(stored, history, &[nightly()], assumptions, Duration::from_mins(1)).unwrap()
}

/// Everything that is reported about each node.
fn describe(history: &RunHistory) -> Vec<String> {
    let of = |slot: Slot| {
        let node = history.node(slot);
        let (began, ended, spans) = (node.began(), node.finished_at(), node.spans());
        format!("{} {} {began:?} {ended:?} {} {} {spans:?}", history.id(slot), node.state(), node.attempts(), node.pokes())
    };
    history.listed().into_iter().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_run_with_nothing_otherwise_is_the_run(
        seed in any::<u64>(), arrives in 0_u64..1_500, count in 0_u64..7, fails in 0_u32..4, slow in 0_u64..11, from in 0_u64..9, breaks in 0_u64..9,
    ) {
        let params = Options { count, fails, slow, from, breaks };
        let arrives = format!("{arrives}s");
        let run = recorded(Simulation::new(nightly()).arrive(&arrives, "memory://data/export.json", "{}"), seed, &params);
        let here = what_if(&run, &Assumptions::default());
        prop_assert_eq!(describe(&here.history), describe(&run.1));
        prop_assert_eq!((here.history.state, here.history.finished), (run.1.state, run.1.finished));
        assert!(here.is_known());
    }
}

fn a_run() -> (StoredRun, RunHistory) {
    recorded(Simulation::new(nightly()).arrive("7m", "memory://data/export.json", "{}"), 1, Options::default())
}

fn at(history: &RunHistory, id: &str) -> (NodeState, Option<Duration>) {
    let node = history.node(history.find(id).unwrap());
    (node.state(), node.finished_at())
}

#[test]
fn what_comes_later_is_found_later_and_all_that_follows_is_later() {
    let run = a_run();
    let here = what_if(&run, &Assumptions::default().arrive("export=+90s").unwrap());
    assert_eq!(at(&run.1, "export"), (NodeState::Success, Some(Duration::from_secs(450))));
    assert_eq!(at(&here.history, "export"), (NodeState::Success, Some(Duration::from_mins(9))));
    let later = |id| at(&here.history, id).1.unwrap().abs_diff(at(&run.1, id).1.unwrap());
    assert_eq!(later("publish"), Duration::from_secs(90));
    // Between the poke at 405 s, which did not find it, and the one at 450 s.
    let arrived = here.arrivals["export"];
    assert_eq!(arrived.recorded, Some(Window { after: Some(Duration::from_secs(405)), by: Duration::from_secs(450) }));
    assert_eq!(arrived.assumed, Some(Duration::from_millis(427_500 + 90_000)));
}

#[test]
fn what_comes_after_the_timeout_is_not_found_and_a_longer_timeout_finds_it() {
    let run = a_run();
    let late = what_if(&run, &Assumptions::default().arrive("export=11m").unwrap());
    assert_eq!(at(&late.history, "export"), (NodeState::Failed, Some(Duration::from_mins(10))));
    let never = what_if(&run, &Assumptions::default().arrive("export=never").unwrap());
    assert_eq!(at(&never.history, "export").0, NodeState::Failed);
    assert_eq!((at(&never.history, "publish").0, never.history.state), (NodeState::UpstreamFailed, RunState::Failed));
    assert!(never.is_known());
    let longer = Assumptions::default().arrive("export=11m").unwrap().set("export.timeout=1h").unwrap();
    assert_eq!(at(&what_if(&run, &longer).history, "export"), (NodeState::Success, Some(Duration::from_secs(675))));
}

#[test]
fn another_poke_interval_finds_it_sooner() {
    let run = a_run();
    let here = what_if(&run, &Assumptions::default().set("export.poke=10s").unwrap());
    // In the middle of the window, 427.5 s.
    assert_eq!(at(&here.history, "export"), (NodeState::Success, Some(Duration::from_secs(430))));
}

#[test]
fn a_failure_that_is_asked_for_is_retried_and_the_next_attempt_is_as_it_was() {
    let run = a_run();
    let here = what_if(&run, &Assumptions::default().fail("parts@1=full").unwrap());
    let parts = here.history.node(here.history.find("parts").unwrap());
    assert_eq!((parts.state(), parts.attempts()), (NodeState::Success, 2));
    assert_eq!(parts.failed_attempts()[0].error.as_deref(), Some("full"));
    let elements = what_if(&run, &Assumptions::default().fail("upload@1").unwrap());
    assert_eq!(at(&elements.history, "upload[2]").0, NodeState::Failed, "it has no retries");
    let one = what_if(&run, &Assumptions::default().fail("upload[1]@1").unwrap());
    assert_eq!((at(&one.history, "upload[1]").0, at(&one.history, "upload[2]").0), (NodeState::Failed, NodeState::Success));
}

#[test]
fn fewer_slots_take_longer() {
    let run = a_run();
    let here = what_if(&run, &Assumptions::default().slots("uploads=1").unwrap());
    assert!(here.history.finished > run.1.finished, "{:?} {:?}", here.history.finished, run.1.finished);
}

#[task]
async fn minute(_n: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_mins(1)).await;
    Ok(1)
}

#[pipeline]
fn wide() {
    minute(1);
    minute(2);
}

#[test]
fn the_default_pool_may_have_fewer_slots_too() {
    let run = recorded(Simulation::new(wide()), 0, ());
    let here = |slots| {
        let assumptions = Assumptions::default().slots(slots).unwrap();
        WhatIf::of(&run.0, &run.1, &[wide()], &assumptions, Duration::from_mins(1)).unwrap().finished()
    };
    let minutes = |minutes| Some(Duration::from_mins(minutes));
    assert_eq!((run.1.finished, here("default_pool=2"), here("default_pool=1")), (minutes(1), minutes(1), minutes(2)));
}

#[test]
fn what_the_run_never_came_to_is_unknown_and_so_is_all_that_follows() {
    let run = recorded(Simulation::new(nightly()), 1, Options::default());
    assert_eq!(run.1.state, RunState::Failed);
    let here = what_if(&run, &Assumptions::default().arrive("export=2m").unwrap());
    let is_unknown = |id| here.is_unknown(here.history.find(id).unwrap());
    assert!(is_unknown("export") && is_unknown("parts") && is_unknown("publish") && !is_unknown("extra"));
    assert!(!here.is_known() && here.finished().is_none());
    assert!(here.latest() < Duration::from_mins(10), "{:?}", here.latest());
    // One attempt more than the run had.
    let failed = recorded(
        Simulation::new(nightly()).arrive("1m", "memory://data/export.json", "{}"),
        1,
        &Options { fails: 3, ..Options::default() },
    );
    assert_eq!(at(&failed.1, "parts").0, NodeState::Failed);
    let here = what_if(&failed, &Assumptions::default().set("parts.retries=5").unwrap());
    assert!(here.is_unknown(here.history.find("parts").unwrap()));
}

#[test]
fn of_a_run_that_still_waits_no_poke_or_failure_is_made_up() {
    let plan = Arc::new(nightly().plan(&serde_json::to_value(Options::default()).unwrap()).unwrap());
    let started = Timestamp::from("2026-03-27T12:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    let export = RunHistory::new(Arc::clone(&plan), started).find("export").unwrap();
    let mut entries = Vec::new();
    // Each poke of a real process is a little later than it was due.
    for (poke, at) in [0, 45_003, 90_009, 135_011].into_iter().enumerate() {
        let at = started + Duration::from_millis(at);
        entries.push(Entry { at, record: Record::Started { slot: export, attempt: 1 } });
        let next = at + Duration::from_secs(45);
        let memory = None;
        entries
            .push(Entry { at: at + Duration::from_millis(poke as u64), record: Record::NotYet { slot: export, next, memory } });
    }
    let waiting = RunHistory::of(Arc::clone(&plan), started, &entries);
    assert_eq!(at(&waiting, "export"), (NodeState::UpForReschedule, None));
    let run = (StoredRun::begun_by_hand(&plan, "manual__1", started), waiting);
    let here = what_if(&run, &Assumptions::default());
    let node = |history: &RunHistory| (history.node(export).attempts(), history.node(export).pokes());
    assert_eq!(node(&here.history), node(&run.1));
    assert!(here.history.node(export).failed_attempts().is_empty());
    assert!(!here.is_known() && here.latest() <= Duration::from_secs(136), "{:?}", here.latest());
    for id in ["export", "extra", "parts", "publish"] {
        let (of_run, of_here) = (run.1.find(id), here.history.find(id));
        assert!(here.is_unknown(of_here.unwrap()) && !here.differs(&run.1, of_run, of_here), "{id}");
    }
    // What is said to come is waited for.
    let arrives = what_if(&run, &Assumptions::default().arrive("export=6m").unwrap());
    assert!(arrives.is_unknown(export) && arrives.history.node(export).pokes() == 9);
    let never = what_if(&run, &Assumptions::default().arrive("export=never").unwrap());
    assert_eq!(at(&never.history, "export").0, NodeState::Failed);
}

static CALLED: AtomicU32 = AtomicU32::new(0);
static TOLD: AtomicU32 = AtomicU32::new(0);

async fn tell(_: Notification) {
    TOLD.fetch_add(1, Ordering::SeqCst);
}

#[task]
async fn work() -> Result<u64> {
    CALLED.fetch_add(1, Ordering::SeqCst);
    Ok(1)
}

#[pipeline(on_success = tell, on_failure = tell)]
fn small() {
    work();
}

#[test]
fn nothing_is_called_and_nobody_is_notified() {
    let run = recorded(Simulation::new(small()), 0, ());
    assert_eq!((CALLED.load(Ordering::SeqCst), TOLD.load(Ordering::SeqCst)), (1, 1));
    let fails = Assumptions::default().fail("work@1").unwrap();
    for (assumptions, state) in [(Assumptions::default(), RunState::Success), (fails, RunState::Failed)] {
        let here = WhatIf::of(&run.0, &run.1, &[small()], &assumptions, Duration::from_mins(1)).unwrap();
        assert_eq!(here.history.state, state);
    }
    assert_eq!((CALLED.load(Ordering::SeqCst), TOLD.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn what_is_wrong_is_said_with_what_to_write() {
    let run = a_run();
    let said = |assumptions: Result<Assumptions, WhatIfError>| {
        let refused = |assumptions| WhatIf::of(&run.0, &run.1, &[nightly()], &assumptions, Duration::from_mins(1)).map(|_| ());
        assumptions.and_then(refused).unwrap_err().to_string()
    };
    let none = Assumptions::default;
    assert_eq!(said(none().arrive("exprot=1m")), "`exprot`: the run has no such node; did you mean `export`?");
    assert_eq!(said(none().arrive("parts=1m")), "`parts`: it is not a sensor: only what sensors wait for arrives");
    assert!(said(none().arrive("export=soon")).contains("write NODE=TIME: `export=+20m` later than in the run"));
    assert!(said(none().fail("parts")).contains("write NODE@ATTEMPT or NODE@ATTEMPT=ERROR"));
    assert!(said(none().fail("parts@0")).contains("attempts count from 1"));
    assert_eq!(said(none().fail("upload[9]@1")), "`upload[9]`: the run has no such node; did you mean `upload`?");
    assert!(said(none().set("export.pool=x")).contains("there is no option `pool` here"));
    assert_eq!(said(none().set("parts.poke=1s")), "`parts`: it is not a sensor, and has no `poke`");
    assert!(said(none().set("upload[1].retries=1")).contains("an option holds for all elements of a mapping"));
    assert_eq!(said(none().slots("upload=3")), "`upload`: the pipeline has no such pool; did you mean `uploads`?");
    assert!(said(none().slots("uploads=0")).contains("a pool has at least one slot"));
}

#[test]
fn it_is_given_up_after_so_long() {
    let run = a_run();
    let often = Assumptions::default()
        .arrive("export=never")
        .unwrap()
        .set("export.poke=1ms")
        .unwrap()
        .set("export.timeout=300d")
        .unwrap();
    let error = WhatIf::of(&run.0, &run.1, &[nightly()], &often, Duration::ZERO).unwrap_err().to_string();
    assert!(error.starts_with("the simulation took more than 0s, in which it reached"), "{error}");
}
