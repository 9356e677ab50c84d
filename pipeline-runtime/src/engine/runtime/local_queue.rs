//! Local queues: the attempts that each worker has taken, and their answers.
//!
//! A blocking body delays only itself: an idle worker steals the queue behind it, and its worker's answers are given before
//! anything else happens to the core.
//!
//! # Why workers take several jobs at once
//!
//! The engine has one lock. Two threads that pass it back and forth for each node wait longer for each other's cache lines than
//! they work. So a worker takes several jobs off the ready queue at once, and their answers share one turn with the core.
//!
//! Queued answers are given before anything else happens to the core, so the order of events is that of the turns. A simulation
//! steps from instant to instant and has no local queue.

use super::super::effects::Answer;
use super::super::ids::Job;
use super::Attempt;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The most jobs that a worker takes at once.
const MOST: usize = 32;

/// One worker's attempts and answers, besides the body that it polls.
#[derive(Debug, Default)]
pub(super) struct LocalQueue {
    /// The attempt to poll after the worker yields. It is never stolen; an idle thread steals the worker's task itself.
    pub(super) next: Option<Box<Attempt>>,
    /// To be started after that, or to be polled once more.
    pub(super) jobs: VecDeque<Box<Attempt>>,
    /// The answers of bodies that have ended, not yet given to the core.
    pub(super) done: Vec<(Job, Answer)>,
}

/// The queues of all workers.
#[derive(Debug, Default)]
pub(super) struct LocalQueues(OnceLock<Box<[Mutex<LocalQueue>]>>);

/// Returns one worker's share of the ready jobs.
#[inline]
pub(super) fn share(ready: usize, workers: usize) -> usize {
    if ready < 2 { ready } else { ready.div_ceil(workers.max(1)).min(MOST) }
}

impl LocalQueues {
    /// Creates one queue for each worker. Only the first call counts.
    pub(super) fn make(&self, workers: usize) {
        // An engine is driven once.
        let _ = self.0.set((0..workers).map(|_| Mutex::default()).collect());
    }

    fn all(&self) -> &[Mutex<LocalQueue>] {
        self.0.get().map_or(&[], |queues| queues)
    }

    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    pub(super) fn of(&self, worker: usize) -> MutexGuard<'_, LocalQueue> {
        lock(&self.all()[worker])
    }

    /// Takes all answers that were not given yet.
    pub(super) fn answers(&self) -> impl Iterator<Item = (Job, Answer)> {
        self.all().iter().flat_map(|queue| std::mem::take(&mut lock(queue).done))
    }

    /// Removes an attempt that waits to be polled, if it is in a queue.
    pub(super) fn withdraw(&self, job: Job) -> Option<Box<Attempt>> {
        self.all().iter().find_map(|queue| {
            let LocalQueue { next, jobs, .. } = &mut *lock(queue);
            let withdrawn = next.take_if(|attempt| attempt.job() == job);
            withdrawn.or_else(|| jobs.remove(jobs.iter().position(|attempt| attempt.job() == job)?))
        })
    }

    /// True if no worker has anything queued or answered.
    pub(super) fn are_empty(&self) -> bool {
        self.all().iter().map(lock).all(|queue| queue.done.is_empty() && queue.jobs.is_empty() && queue.next.is_none())
    }

    /// The number of attempts that could be stolen.
    pub(super) fn waiting(&self) -> usize {
        self.all().iter().map(|queue| lock(queue).jobs.len()).sum()
    }

    /// Takes the last half of the attempts that another worker has queued.
    pub(super) fn steal(&self, worker: usize) -> Option<VecDeque<Box<Attempt>>> {
        let mut others = (0..).zip(self.all()).filter(|(ix, _)| *ix != worker);
        others.find_map(|(_, queue)| {
            let mut queue = lock(queue);
            let kept = queue.jobs.len() / 2;
            let stolen = queue.jobs.split_off(kept);
            (!stolen.is_empty()).then_some(stolen)
        })
    }

    /// Takes everything out of all queues.
    pub(super) fn take(&self) -> impl Iterator<Item = LocalQueue> {
        self.all().iter().map(|queue| std::mem::take(&mut *lock(queue)))
    }
}

fn lock(queue: &Mutex<LocalQueue>) -> MutexGuard<'_, LocalQueue> {
    // Nothing under the lock panics: attempts are dropped outside of it.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
