//! User values are dropped while the engine's lock is free, because their drop is user code.

use super::super::body::Executed;
use super::{Arc, Edit, Engine, Live, Run, RunState, plan};
use crate::author::value::Value;
use crate::engine::effects::Answer;
use crate::prelude::*;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::VecDeque;

thread_local! {
    /// The engine of this thread's test, and for each drop of a [`Probe`] whether the engine's lock was free.
    static OBSERVED: RefCell<Option<(Engine, Vec<bool>)>> = const { RefCell::new(None) };
}

/// A value whose drop needs the engine's lock, as that of a user who looks at a run in it would.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Probe;

impl Drop for Probe {
    fn drop(&mut self) {
        // A test that ends drops the last ones without it.
        let _ = OBSERVED.try_with(|observed| {
            if let Some((engine, drops)) = &mut *observed.borrow_mut() {
                drops.push(engine.is_free());
            }
        });
    }
}

fn observe(live: &Live) {
    OBSERVED.set(Some((live.engine.clone(), Vec::new())));
}

fn observed() -> Vec<bool> {
    OBSERVED.take().unwrap().1
}

#[task]
async fn takes(_probe: Arc<Probe>) -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn probes() {
    takes(Arc::new(Probe));
}

#[test]
fn the_last_reference_to_a_forgotten_run() {
    #[task]
    async fn follows() -> Result<u64> {
        Ok(1)
    }
    #[pipeline]
    fn after() {
        follows();
    }
    let live = Live::new();
    let engine = &live.engine;
    engine.open();
    let first = live.start(&plan(&probes()));
    let (attempt, _) = engine.locked(|state| engine.pop(state, &mut VecDeque::new()));
    let attempt = attempt.unwrap();
    let job = attempt.job();
    let Executed::Ended(answer, spare) = engine.execute(attempt) else { panic!("its body ends at once") };
    engine.answer(job, answer);
    assert_eq!(engine.look(first, Run::state), Some(RunState::Success));
    assert!(engine.forget(first));

    observe(&live);
    live.start(&plan(&after()));
    let mut spares = spare.into_iter().collect();
    let (attempt, _) = engine.locked(|state| engine.pop(state, &mut spares));
    assert!(attempt.is_some() && spares.is_empty(), "the attempt of the first run has been reused");
    assert_eq!(observed(), [true]);
}

#[test]
fn the_output_of_an_attempt_that_ends_after_the_engine_was_stopped() {
    let live = Live::new();
    let engine = &live.engine;
    engine.open();
    live.start(&plan(&probes()));
    let (attempt, _) = engine.locked(|state| engine.pop(state, &mut VecDeque::new()));
    let job = attempt.unwrap().job();
    engine.stop();

    observe(&live);
    engine.answer(job, Answer::Output(Value::new(Probe)));
    assert_eq!(observed(), [true]);
}

#[test]
fn a_run_that_an_edit_cannot_be_applied_to() {
    let live = Live::new();
    let spec = live.spec(&plan(&probes()));
    let run = Run::new(spec, live.engine.clock().now());

    observe(&live);
    let nobody = Edit::Skip { node: "nobody".to_owned() };
    live.engine.resume_edited(run, &[], &nobody).unwrap_err();
    assert_eq!(observed(), [true]);
}
