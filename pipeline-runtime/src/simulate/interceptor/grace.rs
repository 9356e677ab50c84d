//! A moment of real time for bodies whose wait is not counted, and may be for a socket.

use crate::engine::Waiter;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long, in real time, the virtual clock stands still each time a body starts to wait.
const GRACE: Duration = Duration::from_millis(20);

/// The bodies that wait, each with the end of its grace period once that has started.
#[derive(Debug, Default)]
pub(super) struct Grace(Mutex<HashMap<Waiter, Option<Instant>>>);

impl Grace {
    /// Records that the waiter starts to wait.
    pub(super) fn waits(&self, waiter: Waiter) {
        self.lock().insert(waiter, None);
    }

    /// Removes a waiter that no longer waits, or whose wait is counted.
    pub(super) fn forget(&self, waiter: Waiter) {
        self.lock().remove(&waiter);
    }

    /// How long to wait before time may pass, if some waiter's grace period is not over.
    pub(super) fn left(&self) -> Option<Duration> {
        let mut all = self.lock();
        let now = Instant::now();
        // The period does not start at the poll: since then the thread may have been busy and not have checked its sockets.
        let until = all.values_mut().map(|until| *until.get_or_insert(now + GRACE)).max()?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Waiter, Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
