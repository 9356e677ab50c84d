//! User code that runs where one does not think of it: as an error is shown, as a value is dropped. What panics there is answered for,
//! and no worker ends by it.

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
