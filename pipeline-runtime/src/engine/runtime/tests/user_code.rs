//! User code in unexpected places: when an error is shown, when a value is dropped. A panic there is answered for, and ends no
//! worker.

use super::{DRIVERS, live, plan, run};
use crate::RunState;
use crate::engine::{Edit, NodeState};
use crate::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

#[derive(Debug)]
struct Mute;
impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        resume_unwind(Box::new("it is not told"))
    }
}
impl std::error::Error for Mute {}

#[test]
fn an_error_that_panics_as_it_is_told_is_an_error() {
    #[task]
    async fn fails() -> Result<u64, Mute> {
        Err(Mute)
    }
    #[task]
    fn fails_on_a_thread_of_its_own() -> Result<u64, Mute> {
        Err(Mute)
    }
    #[pipeline]
    fn failing() {
        fails();
        fails_on_a_thread_of_its_own();
    }
    assert_eq!(run(&failing()), (RunState::Failed, vec![NodeState::Failed; 2]));
}

static ARMED: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Serialize, Deserialize)]
struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        if ARMED.load(Ordering::SeqCst) && !std::thread::panicking() {
            resume_unwind(Box::new("it is not dropped"));
        }
    }
}

#[test]
fn an_output_that_comes_too_late_and_panics_as_it_is_dropped_ends_no_driver() {
    static BEGUN: Mutex<usize> = Mutex::new(0);
    static GO_ON: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    #[task]
    async fn makes() -> Result<Bomb> {
        *BEGUN.lock().unwrap() += 1;
        drop(CHANGED.wait_while(GO_ON.lock().unwrap(), |go_on| !*go_on).unwrap());
        Ok(Bomb)
    }
    #[task]
    async fn follows() -> Result<()> {
        Ok(())
    }
    #[pipeline]
    fn bombs() {
        for _ in 0..DRIVERS {
            makes();
        }
    }
    #[pipeline]
    fn after() {
        follows();
    }
    let (bombs, after) = (plan(&bombs()), plan(&after()));
    live(async |live| {
        let run = live.start(&bombs);
        while *BEGUN.lock().unwrap() < DRIVERS {
            tokio::task::yield_now().await;
        }
        live.engine.edit(run, &Edit::Cancel).unwrap();
        ARMED.store(true, Ordering::SeqCst);
        *GO_ON.lock().unwrap() = true;
        CHANGED.notify_all();
        live.quiet(run).await;
        let run = live.start(&after);
        let state = live.engine.ended(run).await;
        ARMED.store(false, Ordering::SeqCst);
        assert_eq!(state, RunState::Success);
    });
}

/// A value whose clone panics if it is `armed`.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Rigid {
    armed: bool,
}
impl Clone for Rigid {
    fn clone(&self) -> Self {
        if self.armed {
            resume_unwind(Box::new("it is not cloned"));
        }
        Self { armed: false }
    }
}

#[derive(Debug, Serialize, Deserialize, Branch)]
enum Kind {
    Stiff(Rigid),
    Loose(u64),
}
impl Clone for Kind {
    fn clone(&self) -> Self {
        resume_unwind(Box::new("nobody needs a clone of it"))
    }
}

#[task]
async fn takes(_of: Rigid) -> Result<u64> {
    Ok(1)
}
#[task]
async fn shares(_of: std::sync::Arc<Rigid>) -> Result<u64> {
    Ok(1)
}
#[task]
async fn gathers(all: Vec<Rigid>) -> Result<u64> {
    Ok(all.len() as u64)
}
#[task]
async fn makes_rigid(armed: bool) -> Result<Rigid> {
    Ok(Rigid { armed })
}

/// Values are passed on without running their type's code under the engine's lock. If a body needs a clone that panics, that
/// attempt fails, and everything else continues.
#[test]
fn a_value_that_panics_as_it_is_cloned_fails_the_attempt_that_takes_it_and_nothing_else() {
    #[task]
    async fn lists() -> Result<Vec<Rigid>> {
        Ok(vec![Rigid { armed: false }, Rigid { armed: true }, Rigid { armed: false }])
    }
    #[branch]
    async fn forks() -> Result<Kind> {
        Ok(Kind::Stiff(Rigid { armed: true }))
    }
    #[task]
    async fn counts(n: u64) -> Result<u64> {
        Ok(n)
    }
    #[pipeline]
    fn rigid() {
        let list = lists();
        list.each(|item| takes(item));
        list.each(|item| shares(item).after(item));
        gathers(list.each(|_| makes_rigid(true)).named("made"));
        let KindArms { stiff, loose } = forks();
        takes(stiff).named("from_arm");
        counts(loose).named("loosely");
    }
    let plan = plan(&rigid());
    live(async |live| {
        let run = live.start(&plan);
        assert_eq!(live.engine.ended(run).await, RunState::Failed);
        live.quiet(run).await;
        let state = |id: &str| {
            let of = |run: &crate::engine::Run| run.node(run.layout().find(run.plan(), id).unwrap()).state();
            live.engine.look(run, of).unwrap()
        };
        assert_eq!(["takes[0]", "takes[1]", "takes[2]"].map(state), [NodeState::Success, NodeState::Failed, NodeState::Success]);
        assert_eq!(["shares[0]", "shares[1]"].map(state), [NodeState::Success, NodeState::Failed]);
        assert_eq!(["made", "gathers"].map(state), [NodeState::Success, NodeState::Failed]);
        assert_eq!(["from_arm", "loosely"].map(state), [NodeState::Failed, NodeState::Skipped]);
        // The engine continues.
        let again = live.start(&plan);
        assert_eq!(live.engine.ended(again).await, RunState::Failed);
    });
}
