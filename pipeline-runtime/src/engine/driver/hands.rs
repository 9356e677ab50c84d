//! Hands: what each driver has taken up, and what of it is done.
//!
//! A driver takes several nodes off the queue at once and answers for them together, so that quick bodies share one turn with the
//! core. No body that keeps its thread holds others up by that: what is in a hand can be taken by whoever is idle, and answers are
//! told before anything else happens to the core.
//!
//! Whoever has the engine's lock may take a hand's; never the other way round.

use super::super::core::Answer;
use super::{Attempt, Job};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The most that a driver takes up at once.
const MOST: usize = 32;

/// What one driver has in hand, beside the body that it is polling.
#[derive(Debug, Default)]
pub(super) struct Hand {
    /// To be started once the driver has given way. It is not taken over: where there is an idle thread, it takes the driver.
    pub(super) next: Option<Box<Attempt>>,
    /// To be started after that.
    pub(super) todo: VecDeque<Box<Attempt>>,
    /// Bodies that came to their end and are not answered for yet.
    pub(super) done: Vec<(Job, Answer)>,
}

/// The hands of all drivers.
#[derive(Debug, Default)]
pub(super) struct Hands(OnceLock<Box<[Mutex<Hand>]>>);

/// How many of so many nodes that are ready one driver takes up: its share.
#[inline]
pub(super) fn share(ready: usize, drivers: usize) -> usize {
    if ready < 2 { ready } else { ready.div_ceil(drivers.max(1)).min(MOST) }
}

impl Hands {
    /// One for each driver. Only the first call counts.
    pub(super) fn make(&self, drivers: usize) {
        // An engine is driven once.
        let _ = self.0.set((0..drivers).map(|_| Mutex::default()).collect());
    }

    fn all(&self) -> &[Mutex<Hand>] {
        self.0.get().map_or(&[], |hands| hands)
    }

    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    pub(super) fn of(&self, driver: usize) -> MutexGuard<'_, Hand> {
        lock(&self.all()[driver])
    }

    /// Takes all answers that drivers have in hand.
    pub(super) fn answers(&self) -> impl Iterator<Item = (Job, Answer)> {
        self.all().iter().flat_map(|hand| std::mem::take(&mut lock(hand).done))
    }

    /// Takes an attempt away before it begins, if it has not.
    pub(super) fn withdraw(&self, job: Job) -> Option<Box<Attempt>> {
        self.all().iter().find_map(|hand| {
            let Hand { next, todo, .. } = &mut *lock(hand);
            let withdrawn = next.take_if(|attempt| attempt.job() == job);
            withdrawn.or_else(|| todo.remove(todo.iter().position(|attempt| attempt.job() == job)?))
        })
    }

    /// Whether a driver has anything in hand, begun or not.
    pub(super) fn are_empty(&self) -> bool {
        self.all().iter().map(lock).all(|hand| hand.done.is_empty() && hand.todo.is_empty() && hand.next.is_none())
    }

    /// How many attempts could be taken over.
    pub(super) fn waiting(&self) -> usize {
        self.all().iter().map(|hand| lock(hand).todo.len()).sum()
    }

    /// Takes the last half of what another driver has not begun.
    pub(super) fn take_over(&self, driver: usize) -> Option<VecDeque<Box<Attempt>>> {
        let mut others = (0..).zip(self.all()).filter(|(ix, _)| *ix != driver);
        others.find_map(|(_, hand)| {
            let mut hand = lock(hand);
            let kept = hand.todo.len() / 2;
            let taken = hand.todo.split_off(kept);
            (!taken.is_empty()).then_some(taken)
        })
    }

    pub(super) fn clear(&self) {
        for hand in self.all() {
            let dropped = std::mem::take(&mut *lock(hand));
            drop(dropped);
        }
    }
}

fn lock(hand: &Mutex<Hand>) -> MutexGuard<'_, Hand> {
    // Nothing under the lock panics; what an attempt's own drop does is not done under it.
    hand.lock().unwrap_or_else(PoisonError::into_inner)
}
