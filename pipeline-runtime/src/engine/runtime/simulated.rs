//! Simulated runs: one instant after the other.
//!
//! Time stands still until nothing more happens at an instant. Only then do the answers of that instant reach the core, in the
//! order of their nodes, so that a simulation never depends on which thread was first.

use super::super::effects::{Answer, Answered, NotTold};
use super::super::ids::{Job, Keys, RunIx, Slot};
use super::{Attempt, Engine};
use crate::author::notify::BoxFuture;
use crate::author::secret::Secret;
use crate::time::Timestamp;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Debug;

/// What a simulation does to bodies.
pub(crate) trait Interceptor: Send + Sync + Debug {
    /// An answer in the body's stead.
    fn instead(&self, attempt: &Attempt) -> Option<Answered>;
    /// A secret's value, where the simulation has another than the process.
    fn secret(&self, secret: &Secret) -> Option<Secret>;
    /// While what this returns lives, this thread works within the simulation: so that what does I/O counts there.
    fn enter(&self) -> Box<dyn Any>;
    /// A body that blocks has begun, or has ended.
    fn blocking(&self, begun: bool);
    /// How much is under way that the clock waits for: I/O and bodies that block.
    fn in_flight(&self) -> usize;
    /// Returns once nothing of that is.
    fn idle(&self) -> BoxFuture<()>;
}

/// What happened at this instant.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    answers: Vec<(RunIx, Slot, Job, Answer)>,
    delivered: Vec<(RunIx, u32, Result<(), NotTold>)>,
    keys: Vec<(u64, Result<Keys, String>)>,
}

/// How often the runtime's other tasks are let go first before an instant counts as over: bodies may wake each other.
const ROUNDS: u32 = 4;

impl Engine {
    pub(super) fn put_answer(&self, job: Job, answer: Answer) {
        self.lock().simulated.answers.push((job.run, job.slot, job, answer));
        self.0.work.notify_one();
    }

    pub(super) fn put_delivered(&self, run: RunIx, id: u32, result: Result<(), NotTold>) {
        let mut state = self.lock();
        state.delivering -= 1;
        state.simulated.delivered.push((run, id, result));
        self.0.work.notify_one();
    }

    pub(super) fn put_keys(&self, number: u64, keys: Result<Keys, String>) {
        self.lock().simulated.keys.push((number, keys));
        self.0.work.notify_one();
    }

    /// Does all that happens at the present instant.
    pub(crate) async fn step(&self) {
        self.open();
        let now = self.clock().now();
        self.with(|core| core.advance(now));
        loop {
            loop {
                let next = self.pop(&mut self.lock(), &mut VecDeque::new());
                let Some(attempt) = next else { break };
                let job = attempt.job();
                if let Some(answer) = self.execute(attempt).answer {
                    self.put_answer(job, answer);
                }
            }
            self.until_quiescent().await;
            let Inbox { mut answers, mut delivered, mut keys } = std::mem::take(&mut self.lock().simulated);
            if answers.is_empty() && delivered.is_empty() && keys.is_empty() {
                return;
            }
            keys.sort_by_key(|(number, _)| *number);
            answers.sort_by_key(|(run, slot, ..)| (*run, *slot));
            delivered.sort_by_key(|(run, id, _)| (*run, *id));
            let now = self.clock().now();
            for (.., job, answer) in answers {
                self.answer(job, answer);
            }
            for (number, made) in keys {
                self.with(|core| core.keys_made(number, made, now));
            }
            for (run, id, result) in delivered {
                self.with(|core| core.delivered(run, id, result, now));
            }
        }
    }

    /// Returns once nothing more happens without time passing.
    async fn until_quiescent(&self) {
        let Some(interceptor) = &self.0.interceptor else { return };
        loop {
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
            if interceptor.in_flight() == 0 {
                return;
            }
            interceptor.idle().await;
        }
    }

    /// Runs `work` within the simulation, if this is one.
    pub(super) fn within<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.0.interceptor.as_ref().map(|interceptor| interceptor.enter());
        work()
    }

    /// Waits for the next timer, for `until`, or for a body's own timer, whichever comes first.
    pub(crate) async fn pass_time(&self, until: Timestamp) {
        let next = self.lock().core.next_due().min(until);
        tokio::select! {
            biased;
            () = self.clock().sleep_until(next) => {}
            () = self.0.work.notified() => {}
        }
    }
}
