//! The turns that workers take with the core: in which order, and that nobody waits for one that does not come back.

use super::{PATIENCE, live, most, pass, plan};
use crate::RunState;
use crate::engine::state::Node as RunNode;
use crate::engine::{NodeState, Run};
use crate::prelude::*;
use std::sync::{Condvar, Mutex};

/// Something that happens once, and that bodies wait for with their thread.
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
