//! A moment of real time for what waits for something that nobody counts, which may be a socket.

use crate::engine::Waiter;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long, in real time, the virtual clock stands still each time something goes to wait.
const GRACE: Duration = Duration::from_millis(20);

/// Who waits, and once the clock stood still for it, until when it does.
#[derive(Debug, Default)]
pub(super) struct Grace(Mutex<HashMap<Waiter, Option<Instant>>>);

impl Grace {
    /// Goes to wait.
    pub(super) fn waits(&self, waiter: Waiter) {
        self.lock().insert(waiter, None);
    }

    /// Waits no more, or for what is accounted for.
    pub(super) fn forget(&self, waiter: Waiter) {
        self.lock().remove(&waiter);
    }

    /// How long to wait before time may pass, if somebody has not had its moment yet.
    pub(super) fn left(&self) -> Option<Duration> {
        let mut all = self.lock();
        let now = Instant::now();
        // Not from when it was polled: the thread may have been busy with others since, and not have looked at its sockets.
        let until = all.values_mut().map(|until| *until.get_or_insert(now + GRACE)).max()?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Waiter, Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
