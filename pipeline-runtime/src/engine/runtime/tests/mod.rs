//! Live runs in real time, in memory: many nodes, many runs, and what can go wrong between threads.
//!
//! No test sleeps to wait for something: a test ends with its runs, and one that would wait for ever fails by its limit.

mod drops;
mod late;
mod turns;
mod user_code;

use super::super::{RunIx, RunSpec, RunState};
use super::{Engine, EngineOptions};
use crate::author::context::RunInfo;
use crate::engine::state::Node as RunNode;
use crate::engine::{Edit, NodeState, Run};
use crate::journal::MemoryJournal;
use crate::plan::Plan;
use crate::prelude::*;
use crate::schedule::Interval;
use crate::time::Clock;
use crate::{Mode, Pipeline};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Longer than any test takes, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
const NODES: usize = 10_000;
const DRIVERS: usize = 2;

struct Live {
    engine: Engine,
}

impl Live {
    fn new() -> Self {
        let options = EngineOptions { clock: Clock::system(), parallelism: 128, check_outputs: false, observer: None };
        Self { engine: Engine::new(Box::new(MemoryJournal::default()), options, None) }
    }

    fn start(&self, plan: &Arc<Plan>) -> RunIx {
        self.engine.start(self.spec(plan))
    }

    fn spec(&self, plan: &Arc<Plan>) -> RunSpec {
        let now = self.engine.clock().now();
        let info = RunInfo::new(plan.pipeline, "live", Interval::at(now.to_utc()), serde_json::Value::Null);
        RunSpec { plan: Arc::clone(plan), info: Arc::new(info), sla_from: now, seed: 0, key: 0 }
    }

    fn count(&self, run: RunIx, state: NodeState) -> usize {
        self.engine.look(run, |run| run.nodes().iter().filter(|node| node.state() == state).count()).unwrap()
    }

    /// Waits until the condition holds for the run, which other threads change.
    async fn until(&self, run: RunIx, holds: impl Fn(&Run) -> bool) {
        while !self.engine.look(run, &holds).unwrap() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until no worker has anything to do.
    async fn at_rest(&self) {
        while self.engine.lock().idle_workers < DRIVERS {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until no attempt is under way and no slot is in use.
    async fn quiet(&self, run: RunIx) {
        self.until(run, |_| true).await;
        while self.engine.is_busy() {
            tokio::task::yield_now().await;
        }
    }
}

fn plan(pipeline: &Pipeline) -> Arc<Plan> {
    Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap())
}

/// Runs `work` on a runtime of two threads, while the engine runs.
fn live<R>(work: impl AsyncFnOnce(&Live) -> R) -> R {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let live = Live::new();
        let work = tokio::time::timeout(PATIENCE, work(&live));
        tokio::select! {
            never = live.engine.drive(DRIVERS) => match never {},
            result = work => result.expect("it hangs"),
        }
    })
}

/// Runs the pipeline once to its end.
fn run(pipeline: &Pipeline) -> (RunState, Vec<NodeState>) {
    let plan = plan(pipeline);
    live(async |live| {
        let run = live.start(&plan);
        let state = live.engine.ended(run).await;
        live.quiet(run).await;
        (state, live.engine.look(run, |run| run.nodes().iter().map(RunNode::state).collect()).unwrap())
    })
}

#[task]
async fn pass(n: u64) -> Result<u64> {
    Ok(n)
}
#[task]
async fn detour(n: u64) -> Result<u64> {
    tokio::task::yield_now().await;
    Ok(n)
}
#[task]
async fn most(all: Vec<u64>) -> Result<u64> {
    Ok(all.into_iter().max().unwrap_or(0))
}

// ---- many nodes

#[test]
fn a_chain_runs_to_success() {
    #[pipeline]
    fn chain() {
        let mut node = pass(1u64);
        for _ in 1..NODES {
            node = pass(node);
        }
    }
    let (state, nodes) = run(&chain());
    assert_eq!((state, nodes.len()), (RunState::Success, NODES));
}

#[test]
fn a_chain_of_bodies_that_wait_runs_to_success() {
    #[pipeline]
    fn chain() {
        let mut node = detour(1u64);
        for _ in 1..NODES {
            node = detour(node);
        }
    }
    assert_eq!(run(&chain()).0, RunState::Success);
}

#[test]
fn a_fan_out_and_back_in_runs_to_success() {
    #[pipeline]
    fn fan() {
        let root = pass(1u64);
        most((0..NODES).map(|n| if n % 2 == 0 { pass(root) } else { detour(root) }).collect::<Vec<_>>());
    }
    assert_eq!(run(&fan()).0, RunState::Success);
}

#[test]
fn layers_run_to_success() {
    #[pipeline]
    fn layered() {
        let mut layer: Vec<Node<u64>> = (0..100).map(|_| pass(1u64)).collect();
        for _ in 1..NODES / 100 {
            layer = (0..100).map(|n| most([0, 33, 71].map(|step| layer[(n + step) % 100]))).collect();
        }
    }
    assert_eq!(run(&layered()).0, RunState::Success);
}

#[test]
fn bodies_that_panic_at_once_later_or_on_a_thread_of_their_own_stop_no_driver() {
    #[task]
    async fn panics(later: bool) -> Result<u64> {
        if later {
            tokio::task::yield_now().await;
        }
        std::panic::resume_unwind(Box::new("quietly"))
    }
    #[task]
    fn blocking_panics(n: u64) -> Result<u64> {
        std::panic::resume_unwind(Box::new(n))
    }
    #[pipeline]
    fn panicking() {
        for n in 0..300u64 {
            panics(n % 2 == 0);
            blocking_panics(n);
            detour(pass(n));
        }
    }
    let (state, nodes) = run(&panicking());
    assert_eq!(state, RunState::Failed);
    let count = |state| nodes.iter().filter(|of| **of == state).count();
    assert_eq!((count(NodeState::Failed), count(NodeState::Success)), (600, 600));
}

// ---- many runs

#[test]
fn thousands_of_small_runs_lose_no_wake_up() {
    #[pipeline]
    fn small() {
        let [a, b] = [detour(1u64), pass(2u64)];
        most([a, b, detour(a), detour(b)]);
    }
    let plan = plan(&small());
    live(async |live| {
        for _ in 0..3000 {
            let run = live.start(&plan);
            assert_eq!(live.engine.ended(run).await, RunState::Success);
        }
    });
}

#[test]
fn runs_started_from_many_tasks_at_once_all_end() {
    #[pipeline]
    fn small() {
        most([detour(1u64), pass(2u64), detour(pass(3u64))]);
    }
    let plan = plan(&small());
    live(async |live| {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (engine, plan, info) = (live.engine.clone(), Arc::clone(&plan), live.spec(&plan));
            tasks.spawn(async move {
                for _ in 0..200 {
                    let run = engine.start(RunSpec { plan: Arc::clone(&plan), ..info.clone() });
                    assert_eq!(engine.ended(run).await, RunState::Success);
                }
            });
        }
        while let Some(joined) = tasks.join_next().await {
            joined.unwrap();
        }
    });
}

/// A worker that is woken just before it sleeps must not be lost: it would count as busy for ever.
#[test]
fn every_driver_comes_back_to_rest() {
    #[pipeline]
    fn bursts() {
        let mut layer = vec![pass(1u64)];
        for width in [2, 1, 3, 1, 2] {
            let of = most(layer);
            layer = (0..width).map(|n| if n % 2 == 0 { pass(of) } else { detour(of) }).collect();
        }
    }
    let plan = plan(&bursts());
    live(async |live| {
        for _ in 0..2000 {
            let run = live.start(&plan);
            assert_eq!(live.engine.ended(run).await, RunState::Success);
        }
        live.at_rest().await;
    });
}

// ---- time

#[test]
fn timers_of_sensors_and_retries_all_fire() {
    #[sensor(timeout = "10m", poke = "1ms", poke_timeout = "1m")]
    async fn look(ctx: Context, pokes: u64) -> Result<Poke<u64>> {
        let poke = ctx.recall::<u64>()?.unwrap_or(0) + 1;
        ctx.remember(&poke)?;
        Ok(if poke >= pokes { Poke::Ready(poke) } else { Poke::NotYet })
    }
    #[task(retries = 3, retry_delay = "1ms")]
    async fn unsteady(ctx: Context) -> Result<u64> {
        if ctx.attempt() <= 3 { Err("not yet".into()) } else { Ok(1) }
    }
    #[pipeline]
    fn timed() {
        for n in 0..100u64 {
            look(n % 10);
            look(n % 10).mode(Mode::Poke);
            unsteady();
        }
    }
    assert_eq!(run(&timed()).0, RunState::Success);
}

#[test]
fn a_body_is_cut_off_at_its_limit_while_others_keep_their_threads_busy() {
    // On a busy machine, a limit may pass before the body begins.
    static BEGUN: AtomicU32 = AtomicU32::new(0);
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Counts;
    impl Drop for Counts {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
    #[task(timeout = "5ms")]
    async fn endless() -> Result<u64> {
        BEGUN.fetch_add(1, Ordering::SeqCst);
        let _counts = Counts;
        std::future::pending().await
    }
    #[pipeline]
    fn limited() {
        for _ in 0..50 {
            endless();
        }
        let mut node = pass(1u64);
        for _ in 0..1000 {
            node = detour(node);
        }
    }
    let (state, nodes) = run(&limited());
    let failed = nodes.iter().filter(|state| **state == NodeState::Failed).count();
    assert_eq!((state, failed), (RunState::Failed, 50));
    assert_eq!(DROPPED.load(Ordering::SeqCst), BEGUN.load(Ordering::SeqCst));
}

#[test]
fn what_a_driver_has_in_hand_is_taken_over_while_a_body_keeps_its_thread() {
    const OTHERS: u32 = 63;
    static LEFT: Mutex<u32> = Mutex::new(OTHERS);
    static ONE_LESS: Condvar = Condvar::new();
    #[task]
    async fn quick() -> Result<()> {
        *LEFT.lock().unwrap() -= 1;
        ONE_LESS.notify_all();
        Ok(())
    }
    #[task]
    async fn keeps_its_thread() -> Result<()> {
        let (left, waited) = ONE_LESS.wait_timeout_while(LEFT.lock().unwrap(), PATIENCE, |left| *left > 0).unwrap();
        drop(left);
        if waited.timed_out() { Err("the others were not run".into()) } else { Ok(()) }
    }
    #[pipeline]
    fn side_by_side() {
        keeps_its_thread();
        for _ in 0..OTHERS {
            quick();
        }
    }
    assert_eq!(run(&side_by_side()).0, RunState::Success);
}

#[test]
fn what_a_driver_has_done_is_told_while_its_next_body_keeps_its_thread() {
    static FOLLOWED: Mutex<bool> = Mutex::new(false);
    static GO_ON: Condvar = Condvar::new();
    #[task]
    async fn first() -> Result<u64> {
        Ok(1)
    }
    #[task]
    async fn follows(n: u64) -> Result<u64> {
        *FOLLOWED.lock().unwrap() = true;
        GO_ON.notify_all();
        Ok(n)
    }
    #[task]
    async fn keeps_its_thread() -> Result<()> {
        let (followed, waited) = GO_ON.wait_timeout_while(FOLLOWED.lock().unwrap(), PATIENCE, |followed| !*followed).unwrap();
        drop(followed);
        if waited.timed_out() { Err("nothing followed".into()) } else { Ok(()) }
    }
    #[pipeline]
    fn one_after_the_other() {
        let one = first();
        keeps_its_thread();
        // This makes more ready jobs than one for each worker.
        pass(1u64);
        pass(1u64);
        follows(one);
    }
    assert_eq!(run(&one_after_the_other()).0, RunState::Success);
}

#[test]
fn of_two_that_become_ready_at_once_neither_waits_for_the_other_to_give_its_thread_back() {
    static HERE: Mutex<u32> = Mutex::new(0);
    static ONE_MORE: Condvar = Condvar::new();
    #[task]
    async fn meets_the_other(n: u64) -> Result<u64> {
        *HERE.lock().unwrap() += 1;
        ONE_MORE.notify_all();
        let (here, waited) = ONE_MORE.wait_timeout_while(HERE.lock().unwrap(), PATIENCE, |here| *here < 2).unwrap();
        drop(here);
        if waited.timed_out() { Err("it was alone".into()) } else { Ok(n) }
    }
    #[pipeline]
    fn a_fork() {
        let one = pass(1u64);
        meets_the_other(one);
        meets_the_other(one);
    }
    #[pipeline]
    fn many_quick() {
        most((0..1000u64).map(pass).collect::<Vec<_>>());
    }
    let (quick, plan) = (plan(&many_quick()), plan(&a_fork()));
    live(async |live| {
        // At first the duration of bodies is unknown; then they are known to be quick.
        for _ in 0..3 {
            *HERE.lock().unwrap() = 0;
            live.at_rest().await;
            let run = live.start(&plan);
            assert_eq!(live.engine.ended(run).await, RunState::Success);
            let run = live.start(&quick);
            assert_eq!(live.engine.ended(run).await, RunState::Success);
        }
    });
}

#[test]
fn the_retry_of_a_blocking_body_waits_for_its_thread() {
    static GO_ON: Mutex<bool> = Mutex::new(false);
    static GONE_ON: Condvar = Condvar::new();
    static RUNNING: AtomicU32 = AtomicU32::new(0);
    static MOST: AtomicU32 = AtomicU32::new(0);
    #[task(timeout = "5ms", retries = 1, retry_delay = "1ms")]
    fn stubborn(ctx: Context) -> Result<u64> {
        MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        if ctx.attempt() == 1 {
            drop(GONE_ON.wait_while(GO_ON.lock().unwrap(), |go_on| !*go_on).unwrap());
        }
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        Ok(1)
    }
    #[pipeline]
    fn blocked() {
        stubborn();
    }
    let plan = plan(&blocked());
    live(async |live| {
        let run = live.start(&plan);
        // The retry is due, and waits. If the limit came before a thread was free, the attempt never began.
        let is_over = |run: &Run| run.state().is_end();
        while !live.engine.lock().core.is_overdue(run, 0) && live.engine.look(run, is_over) == Some(false) {
            tokio::task::yield_now().await;
        }
        *GO_ON.lock().unwrap() = true;
        GONE_ON.notify_all();
        live.engine.ended(run).await;
        live.quiet(run).await;
        assert_eq!((live.engine.look(run, |run| run.node(0).attempt()), MOST.load(Ordering::SeqCst)), (Some(2), 1));
    });
}

// ---- ends

#[task]
async fn waits(n: u64) -> Result<u64> {
    STARTED.fetch_add(1, Ordering::SeqCst);
    NEWS.notify_one();
    std::future::pending::<()>().await;
    Ok(n)
}
static STARTED: AtomicUsize = AtomicUsize::new(0);
static NEWS: Notify = Notify::const_new();

#[pipeline]
fn under_load() {
    for n in 0..1000u64 {
        let node = pass(pass(n));
        waits(node);
        detour(detour(node));
    }
}

#[test]
fn cancelling_under_load_ends_every_node_and_gives_every_slot_back() {
    let plan = plan(&under_load());
    live(async |live| {
        for round in 1..=20 {
            let run = live.start(&plan);
            while STARTED.load(Ordering::SeqCst) < round * 50 {
                NEWS.notified().await;
            }
            live.engine.edit(run, &Edit::Cancel).unwrap();
            assert_eq!(live.engine.ended(run).await, RunState::Cancelled);
            live.quiet(run).await;
            live.engine.look(run, |run| assert!(run.nodes().iter().all(|node| node.state().is_end()))).unwrap();
            assert_eq!(live.count(run, NodeState::Failed), 0);
            // Attempts that were cut off in the queue count for the next round.
            STARTED.store(round * 50, Ordering::SeqCst);
        }
        assert!(live.engine.lock().tasks.is_empty(), "a task was forgotten");
    });
}

#[test]
fn cancelling_at_any_time_ends_the_run() {
    #[pipeline]
    fn small() {
        let a = pass(1u64);
        most([detour(a), pass(a), detour(detour(a)), never().after(a)]);
    }
    #[task]
    async fn never() -> Result<u64> {
        std::future::pending().await
    }
    let plan = plan(&small());
    live(async |live| {
        for round in 0..2000 {
            let run = live.start(&plan);
            for _ in 0..round % 7 {
                tokio::task::yield_now().await;
            }
            live.engine.edit(run, &Edit::Cancel).unwrap();
            assert_eq!(live.engine.ended(run).await, RunState::Cancelled);
            live.quiet(run).await;
        }
    });
}

#[test]
fn a_run_that_was_interrupted_is_gone_on_with_where_it_was() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    #[task]
    async fn counted(n: u64) -> Result<u64> {
        CALLS.fetch_add(1, Ordering::SeqCst);
        Ok(n)
    }
    #[task]
    async fn held(n: u64) -> Result<u64> {
        if !OPEN.load(Ordering::SeqCst) {
            HELD.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(n)
    }
    static OPEN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    static HELD: Notify = Notify::const_new();
    #[pipeline]
    fn interrupted() {
        for n in 0..10u64 {
            counted(held(counted(n)));
        }
    }
    let plan = plan(&interrupted());
    let (entries, started) = live(async |live| {
        let run = live.start(&plan);
        live.until(run, |run| run.nodes().iter().filter(|node| node.state() == NodeState::Success).count() == 10).await;
        HELD.notified().await;
        live.engine.stop();
        let entries = live.engine.entries(run);
        (entries, live.engine.look(run, Run::started).unwrap())
    });
    OPEN.store(true, Ordering::SeqCst);
    live(async |live| {
        let run = live.engine.resume(Run::replay(live.spec(&plan), started, &entries).unwrap(), &entries);
        assert_eq!(live.engine.ended(run).await, RunState::Success);
    });
    assert_eq!(CALLS.load(Ordering::SeqCst), 20, "what had finished ran again");
}

#[test]
fn after_it_was_stopped_an_engine_records_nothing_more() {
    #[task(timeout = "1ms", retries = 1000, retry_delay = "1ms")]
    async fn endless() -> Result<u64> {
        std::future::pending().await
    }
    #[pipeline]
    fn timers() {
        for _ in 0..20 {
            endless();
        }
    }
    let plan = plan(&timers());
    live(async |live| {
        let run = live.start(&plan);
        live.until(run, |run| run.nodes().iter().all(|node| node.starts() > 1)).await;
        live.engine.stop();
        let count = live.engine.entries(run).len();
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(live.engine.entries(run).len(), count);
    });
}
