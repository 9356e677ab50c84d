use super::{Clock, Timestamp, wall};
use std::time::Duration;

/// Provides the date for schedules: the wall clock, which is read at each call.
///
/// A [`Clock`] is right for durations and wrong for the date: it stands still while the machine sleeps, and does not notice that
/// the wall clock is set. The calendar may therefore go back, and leap ahead.
#[derive(Debug, Clone)]
pub(crate) struct Calendar(Source);

#[derive(Debug, Clone)]
enum Source {
    Wall,
    /// The calendar of a process whose clock runs faster than real time.
    Clock(Clock),
    /// The wall clock of one test, in nanoseconds since the Unix epoch.
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::atomic::AtomicI64>),
}

/// The maximum sleep of a task that waits for a date, before it reads the wall clock again.
const MAX_SLEEP: Duration = Duration::from_mins(1);

impl Calendar {
    /// The real date.
    pub(crate) fn wall() -> Self {
        Self(Source::Wall)
    }

    /// The date of this clock.
    pub(crate) fn of(clock: Clock) -> Self {
        Self(Source::Clock(clock))
    }

    /// A wall clock that a test sets.
    #[cfg(test)]
    pub(crate) fn set_by(wall: &std::sync::Arc<std::sync::atomic::AtomicI64>) -> Self {
        Self(Source::Set(std::sync::Arc::clone(wall)))
    }

    /// The current date.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Wall => wall::now().into(),
            Source::Clock(clock) => clock.now(),
            #[cfg(test)]
            Source::Set(nanos) => Timestamp::from_nanos(nanos.load(std::sync::atomic::Ordering::SeqCst)),
        }
    }

    /// Returns at that date, or after a minute at the latest: the wall clock may have been set meanwhile, and timers stand still
    /// while the machine sleeps.
    pub(crate) async fn wait_for(&self, date: Timestamp) {
        if let Source::Clock(clock) = &self.0 {
            return clock.sleep_until(date).await;
        }
        tokio::time::sleep(date.since(self.now()).min(MAX_SLEEP)).await;
    }
}

/// The current time, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Present {
    /// The time of the runs' clock, which all times of runs use.
    pub(crate) clock: Timestamp,
    /// The calendar's date, which decides what is due.
    pub(crate) date: Timestamp,
}

impl Present {
    /// For a calendar that follows the runs' clock.
    #[cfg(test)]
    pub(crate) fn of_clock(now: Timestamp) -> Self {
        Self { clock: now, date: now }
    }

    /// The time of the runs' clock at a date in the past.
    pub(crate) fn clock_at(self, date: Timestamp) -> Timestamp {
        self.clock - self.date.since(date)
    }
}

/// Detects that the calendar was set, or that the machine slept: the date and the clock have advanced by different amounts.
#[derive(Debug)]
pub(crate) struct LeapDetector {
    last: Present,
}

impl LeapDetector {
    /// Starts to observe now.
    pub(crate) fn since(now: Present) -> Self {
        Self { last: now }
    }

    /// By how many nanoseconds the date has leapt since the last [`reset`](Self::reset), if by a minute or more.
    pub(crate) fn by(&self, now: Present) -> Option<i64> {
        const LEAP: i64 = 60_000_000_000;
        let apart = |at: Present| at.date.as_nanos().saturating_sub(at.clock.as_nanos());
        let by = apart(now).saturating_sub(apart(self.last));
        (by.saturating_abs() >= LEAP).then_some(by)
    }

    /// Restarts the comparison from `now`, so that a slow correction of the wall clock does not add up to a leap.
    pub(crate) fn reset(&mut self, now: Present) {
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    const MINUTE: i64 = 60_000_000_000;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_a_date_reads_the_wall_clock_again_within_a_minute() {
        let wall = Arc::new(AtomicI64::new(0));
        let calendar = Calendar::set_by(&wall);
        let clock = Clock::starting_at(Timestamp::default().to_utc());
        calendar.wait_for(Timestamp::from_nanos(MINUTE * 180)).await;
        // The virtual clock stops at the timer, or up to a millisecond later, which is the precision of tokio's timers.
        let waited = clock.now().since(Timestamp::default());
        assert!(waited >= MAX_SLEEP && waited < MAX_SLEEP + Duration::from_millis(2), "{waited:?}");
        wall.store(MINUTE * 180, Ordering::SeqCst);
        assert_eq!(calendar.now(), Timestamp::from_nanos(MINUTE * 180));
        let before = clock.now();
        calendar.wait_for(Timestamp::from_nanos(MINUTE * 180)).await;
        assert!(clock.now().since(before) < Duration::from_millis(2), "it is that date");
    }

    #[test]
    fn a_leap_is_a_minute_or_more_at_once() {
        let at = |clock: i64, date: i64| Present { clock: Timestamp::from_nanos(clock), date: Timestamp::from_nanos(date) };
        let mut leaps = LeapDetector::since(at(0, 0));
        for minute in 1..10 {
            // The wall clock gains a second each minute.
            let now = at(MINUTE * minute, (MINUTE + 1_000_000_000) * minute);
            assert_eq!(leaps.by(now), None);
            leaps.reset(now);
        }
        let seen = at(MINUTE * 9, (MINUTE + 1_000_000_000) * 9);
        let seen_by = |by: i64| leaps.by(at(seen.clock.as_nanos() + 5, seen.date.as_nanos() + 5 + by));
        assert_eq!([seen_by(MINUTE - 1), seen_by(1 - MINUTE)], [None, None]);
        assert_eq!([seen_by(MINUTE), seen_by(-MINUTE * 60)], [Some(MINUTE), Some(-MINUTE * 60)]);
    }
}
