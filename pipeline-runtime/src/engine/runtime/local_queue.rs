//! Local queues: what each worker has taken, and what of it is done.
//!
//! A body that blocks delays only itself: an idle worker steals what is queued behind it, and its answers are given before anything else
//! happens to the core.
//!
//! # Why workers take several nodes at once
//!
//! The engine has one lock. Two threads that pass it to and fro for each node wait for each other's cache lines longer than they work. So a
//! worker takes several nodes off the ready queue at once, and their answers share one turn with the core.
//!
//! Answers that are queued are given before anything else happens to the core, so the order of events is that of their turns. A simulation,
//! which steps from instant to instant, has no local queue.

use super::super::effects::Answer;
use super::super::ids::Job;
use super::Attempt;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The most that a worker takes at once.
const MOST: usize = 32;

/// What one worker has, beside the body that it is polling.
#[derive(Debug, Default)]
pub(super) struct LocalQueue {
    /// The attempt to poll after the worker yields. It is never stolen; an idle thread steals the worker's task itself.
    pub(super) next: Option<Box<Attempt>>,
    /// To be started after that, or to be polled once more.
    pub(super) jobs: VecDeque<Box<Attempt>>,
    /// Bodies that came to their end and are not answered for yet.
    pub(super) done: Vec<(Job, Answer)>,
}

/// The queues of all workers.
#[derive(Debug, Default)]
pub(super) struct LocalQueues(OnceLock<Box<[Mutex<LocalQueue>]>>);

/// One worker's share of so many nodes that are ready.
#[inline]
pub(super) fn share(ready: usize, workers: usize) -> usize {
    if ready < 2 { ready } else { ready.div_ceil(workers.max(1)).min(MOST) }
}

impl LocalQueues {
    /// One for each worker. Only the first call counts.
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

    /// Takes all answers that are not given yet.
    pub(super) fn answers(&self) -> impl Iterator<Item = (Job, Answer)> {
        self.all().iter().flat_map(|queue| std::mem::take(&mut lock(queue).done))
    }

    /// Takes an attempt away before it is polled, if it waits for that.
    pub(super) fn withdraw(&self, job: Job) -> Option<Box<Attempt>> {
        self.all().iter().find_map(|queue| {
            let LocalQueue { next, jobs, .. } = &mut *lock(queue);
            let withdrawn = next.take_if(|attempt| attempt.job() == job);
            withdrawn.or_else(|| jobs.remove(jobs.iter().position(|attempt| attempt.job() == job)?))
        })
    }

    /// Whether no worker has anything queued or done.
    pub(super) fn are_empty(&self) -> bool {
        self.all().iter().map(lock).all(|queue| queue.done.is_empty() && queue.jobs.is_empty() && queue.next.is_none())
    }

    /// How many attempts could be stolen.
    pub(super) fn waiting(&self) -> usize {
        self.all().iter().map(|queue| lock(queue).jobs.len()).sum()
    }

    /// Takes the last half of what another worker has yet to poll.
    pub(super) fn steal(&self, worker: usize) -> Option<VecDeque<Box<Attempt>>> {
        let mut others = (0..).zip(self.all()).filter(|(ix, _)| *ix != worker);
        others.find_map(|(_, queue)| {
            let mut queue = lock(queue);
            let kept = queue.jobs.len() / 2;
            let stolen = queue.jobs.split_off(kept);
            (!stolen.is_empty()).then_some(stolen)
        })
    }

    /// Takes all that there is.
    pub(super) fn take(&self) -> impl Iterator<Item = LocalQueue> {
        self.all().iter().map(|queue| std::mem::take(&mut *lock(queue)))
    }
}

fn lock(queue: &Mutex<LocalQueue>) -> MutexGuard<'_, LocalQueue> {
    // Nothing under the lock panics; what an attempt's own drop does is not done under it.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
