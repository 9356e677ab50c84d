//! What happens between two commits of a journal that stores records later than they are made.

use super::super::super::effects::{Outbox, Todo};
use super::super::super::journal::{Journal, Submitted};
use super::super::super::log::Entry;
use super::{Clock, Edit, Engine, EngineOptions, Live, RunIx, plan};
use crate::RunState;
use crate::engine::RunSpec;
use crate::prelude::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Stores records when the test commits them.
#[derive(Debug, Clone, Default)]
struct Late(Arc<Mutex<VecDeque<Todo>>>);

impl Journal for Late {
    fn is_durable(&self) -> bool {
        false
    }

    fn submit<'a>(&mut self, outbox: &mut Outbox, _spec: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Submitted {
        let Outbox { todo, .. } = std::mem::take(outbox);
        if !todo.is_empty() {
            self.0.lock().unwrap().push_back(todo);
        }
        Submitted::Queued
    }

    fn entries_from(&self, _run: RunIx, _from: usize) -> Vec<Entry> {
        Vec::new()
    }
}

impl Late {
    /// Commits the first submission.
    fn commit(&self, engine: &Engine) {
        let todo = self.0.lock().unwrap().pop_front().unwrap();
        engine.committed(todo);
    }
}

/// An attempt's start is stored, and its end by a cancel is not yet, when a worker gets to it.
#[tokio::test]
async fn an_attempt_that_is_cut_off_between_its_start_and_the_commit_of_its_end_gives_its_permit_back() {
    #[task]
    async fn work() -> Result<u64> {
        Ok(1)
    }
    #[pipeline]
    fn alone() {
        work();
    }
    let late = Late::default();
    let options = EngineOptions { clock: Clock::system(), parallelism: 1, check_outputs: false, observer: None };
    let live = Live { engine: Engine::new(Box::new(late.clone()), options, None) };
    let engine = &live.engine;
    // The workers run when the test yields.
    let _workers = engine.drive(1);
    let run = live.start(&plan(&alone()));
    late.commit(engine);
    engine.edit(run, &Edit::Cancel).unwrap();
    let mut yields = 0;
    while engine.lock().idle_workers == 0 {
        tokio::task::yield_now().await;
        yields += 1;
        assert!(yields < 1_000, "the worker comes to an end");
    }
    late.commit(engine);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(engine.look(run, super::Run::state), Some(RunState::Cancelled));
    assert!(!engine.is_busy(), "its attempt has been answered");
    assert!(engine.forget(run));
}
