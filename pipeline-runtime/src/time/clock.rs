use super::{Timestamp, wall};
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::time::Instant;

/// Provides the time, and sleeps by it.
///
/// A clock reads the wall clock once, when it is created, and then follows the machine's monotonic clock. So a wall clock that is
/// set back or forward while a sensor waits neither shortens nor lengthens its timeout. Within a paused tokio runtime the
/// monotonic clock is virtual, and so is this one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use pipeline_runtime::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::starting_at("2024-03-25T06:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
/// let start = clock.now();
/// clock.sleep_until(start + Duration::from_secs(45)).await; // virtual: at once
/// assert_eq!(clock.now().since(start), Duration::from_secs(45));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    reads: Timestamp,
    speed: u32,
}

impl Clock {
    /// The wall clock's time.
    pub fn system() -> Self {
        Self::starting_at(wall::now())
    }

    /// The wall clock's time, but never before `time`, so that timestamps that were already recorded are not reused after the
    /// wall clock was set back.
    pub fn system_from(time: Timestamp) -> Self {
        let now: Timestamp = wall::now().into();
        Self { reads: now.max(time), ..Self::system() }
    }

    /// A clock that reads `date` now and continues from there.
    pub fn starting_at(date: DateTime<Utc>) -> Self {
        Self { started: Instant::now(), reads: date.into(), speed: 1 }
    }

    /// The same clock, running `times` as fast from now on (0 counts as 1): an hour's wait on it takes an hour divided by
    /// `times`.
    pub fn faster(self, times: u32) -> Self {
        Self { started: Instant::now(), reads: self.now(), speed: times.max(1) }
    }

    /// The current time. It is never before a time that this clock returned earlier.
    #[inline]
    pub fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed();
        if self.speed == 1 { self.reads.after(elapsed) } else { self.reads + elapsed.saturating_mul(self.speed) }
    }

    /// Returns once the clock reads `deadline` or later.
    pub async fn sleep_until(self, deadline: Timestamp) {
        tokio::time::sleep_until(self.instant(deadline)).await;
    }

    /// When a timer of tokio must fire for this clock to read `deadline` or later.
    fn instant(&self, deadline: Timestamp) -> Instant {
        // tokio's timers reach about two years; after an early wake-up the engine sets the timer again.
        const FARTHEST: Duration = Duration::from_hours(365 * 24);
        let ahead = deadline.since(self.reads).div_ceil_by(self.speed);
        let farthest = self.started.elapsed() + FARTHEST;
        self.started + ahead.min(farthest)
    }
}

trait DivCeil {
    fn div_ceil_by(self, by: u32) -> Self;
}

impl DivCeil for Duration {
    /// Rounded up, so that a timer never fires before its deadline.
    fn div_ceil_by(self, by: u32) -> Self {
        let down = self / by;
        if down * by < self { down + Duration::from_nanos(1) } else { down }
    }
}
