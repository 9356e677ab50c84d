//! The turns that workers take with the core: their order, and that nobody waits for a worker that does not return.

use super::{Live, PATIENCE, live, most, pass, plan};
use crate::RunState;
use crate::engine::state::Node as RunNode;
use crate::engine::{Edit, Engine, NodeState, Run, RunIx};
use crate::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

/// An event that bodies wait for, blocking their thread.
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    const fn new() -> Self {
        Self(Mutex::new(false), Condvar::new())
    }
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
    fn wait(&self) -> Result<()> {
        let waited = self.1.wait_timeout_while(self.0.lock().unwrap(), PATIENCE, |open| !*open).unwrap().1;
        if waited.timed_out() { Err(TaskError::fatal("nobody came")) } else { Ok(()) }
    }
}

#[test]
fn a_callback_is_told_while_the_next_body_keeps_the_thread() {
    static TOLD: Gate = Gate::new();
    async fn tell(_: Notification) -> Result<()> {
        TOLD.open();
        Ok(())
    }
    #[task(on_failure = tell)]
    async fn fails() -> Result<u64> {
        Err(TaskError::fatal("it is so"))
    }
    #[task]
    async fn keeps_its_thread(_of: Outcome<u64>) -> Result<()> {
        TOLD.wait()
    }
    #[pipeline]
    fn told() {
        keeps_its_thread(fails());
    }
    let plan = plan(&told());
    live(async |live| {
        live.at_rest().await;
        let run = live.start(&plan);
        live.engine.ended(run).await;
        let states = live.engine.look(run, |run| run.nodes().iter().map(RunNode::state).collect::<Vec<_>>()).unwrap();
        assert_eq!(states, [NodeState::Failed, NodeState::Success]);
    });
}

#[test]
fn what_is_in_the_hand_of_one_who_does_not_come_back_is_taken_over_also_by_one_who_has_enough_to_do() {
    const QUICK: u32 = 63;
    static LEFT: Mutex<u32> = Mutex::new(QUICK);
    static DONE: Gate = Gate::new();
    #[task]
    async fn quick() -> Result<()> {
        let mut left = LEFT.lock().unwrap();
        *left -= 1;
        if *left == 0 {
            DONE.open();
        }
        Ok(())
    }
    #[task]
    async fn keeps_its_thread() -> Result<()> {
        DONE.wait()
    }
    #[pipeline]
    fn wide() {
        keeps_its_thread();
        for _ in 0..QUICK {
            quick();
        }
    }
    #[pipeline]
    fn endless() {
        let mut node = pass(1u64);
        for _ in 0..400_000 {
            node = pass(node);
        }
    }
    let (endless, wide) = (plan(&endless()), plan(&wide()));
    live(async |live| {
        let long = live.start(&endless);
        let run = live.start(&wide);
        assert_eq!(live.engine.ended(run).await, RunState::Success);
        assert!(live.engine.look(long, Run::open).unwrap() > 0, "only once the other had nothing left to do");
    });
}

#[test]
fn the_records_of_a_run_are_in_the_order_of_their_times() {
    #[task]
    async fn detour(n: u64) -> Result<u64> {
        tokio::task::yield_now().await;
        Ok(n)
    }
    #[pipeline]
    fn mixed() {
        let root = pass(1u64);
        most((0..5000).map(|n| if n % 2 == 0 { pass(root) } else { detour(root) }).collect::<Vec<_>>());
    }
    let plan = plan(&mixed());
    live(async |live| {
        for _ in 0..3 {
            let run = live.start(&plan);
            assert_eq!(live.engine.ended(run).await, RunState::Success);
            assert!(live.engine.entries(run).is_sorted_by_key(|entry| entry.at));
        }
    });
}

/// Runs `work` with one worker, which runs when the test yields.
async fn by_one_worker<R>(work: impl AsyncFnOnce(&Live) -> R) -> R {
    let live = Live::new();
    let _workers = live.engine.drive(1);
    tokio::time::timeout(PATIENCE, work(&live)).await.expect("it hangs")
}

#[tokio::test]
async fn a_body_that_waits_is_polled_in_place_once_more_and_then_is_a_task_that_is_woken() {
    #[task]
    async fn on_how_many_tasks(times: u32) -> Result<usize> {
        let mut tasks = vec![tokio::task::id()];
        for _ in 0..times {
            tokio::task::yield_now().await;
            tasks.push(tokio::task::id());
        }
        tasks.dedup();
        Ok(tasks.len())
    }
    #[pipeline]
    fn waits() {
        on_how_many_tasks(1u32).named("once");
        on_how_many_tasks(5u32).named("often");
    }
    let plan = plan(&waits());
    by_one_worker(async |live| {
        let run = live.start(&plan);
        assert_eq!(live.engine.ended(run).await, RunState::Success);
        let tasks = |id: &str| {
            live.engine.look(run, |run| {
                let slot = run.layout().find(run.plan(), id).unwrap();
                run.node(slot).value().unwrap().as_any().downcast_ref::<usize>().copied().unwrap()
            })
        };
        assert_eq!((tasks("once"), tasks("often")), (Some(1), Some(2)));
    })
    .await;
}

#[tokio::test]
async fn a_body_that_waits_to_be_polled_in_place_once_more_is_cut_off() {
    static RUN: Mutex<Option<(Engine, RunIx)>> = Mutex::new(None);
    static DROPPED: AtomicBool = AtomicBool::new(false);
    struct Told;
    impl Drop for Told {
        fn drop(&mut self) {
            DROPPED.store(true, Ordering::Relaxed);
        }
    }
    #[task]
    async fn never_ends() -> Result<()> {
        let _told = Told;
        std::future::pending().await
    }
    #[task]
    async fn cancels() -> Result<()> {
        let (engine, run) = RUN.lock().unwrap().take().unwrap();
        assert!(!DROPPED.load(Ordering::Relaxed));
        engine.edit(run, &Edit::Cancel).unwrap();
        Ok(())
    }
    #[pipeline]
    fn both() {
        never_ends();
        cancels();
    }
    let plan = plan(&both());
    by_one_worker(async |live| {
        let run = live.start(&plan);
        *RUN.lock().unwrap() = Some((live.engine.clone(), run));
        assert_eq!(live.engine.ended(run).await, RunState::Cancelled);
        live.quiet(run).await;
        assert!(DROPPED.load(Ordering::Relaxed) && live.engine.forget(run));
    })
    .await;
}
