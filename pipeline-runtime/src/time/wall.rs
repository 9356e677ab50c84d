//! The wall clock, which users may set. It is read only here, except for uses that do not affect a run's time.

use chrono::{DateTime, Utc};

/// The current date and time.
pub(super) fn now() -> DateTime<Utc> {
    let now = Utc::now();
    #[cfg(test)]
    let now = now + chrono::TimeDelta::nanoseconds(set::AHEAD.load(std::sync::atomic::Ordering::SeqCst));
    now
}

/// The wall clock as tests set it.
#[cfg(test)]
pub(crate) mod set {
    use chrono::TimeDelta;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// How many nanoseconds the wall clock is ahead.
    pub(super) static AHEAD: AtomicI64 = AtomicI64::new(0);
    static SETTING: Mutex<()> = Mutex::new(());

    /// Gives one test exclusive control of the process's wall clock, which is reset when this is dropped.
    #[must_use]
    pub(crate) struct WallClockGuard {
        _alone: MutexGuard<'static, ()>,
    }

    pub(crate) fn exclusive() -> WallClockGuard {
        // The lock may be poisoned: a test that failed has reset the clock, too.
        WallClockGuard { _alone: SETTING.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    impl Drop for WallClockGuard {
        fn drop(&mut self) {
            AHEAD.store(0, Ordering::SeqCst);
        }
    }

    /// Sets the wall clock forward, or back.
    pub(crate) fn forward(by: TimeDelta) {
        AHEAD.fetch_add(by.num_nanoseconds().expect("within 292 years"), Ordering::SeqCst);
    }
}
