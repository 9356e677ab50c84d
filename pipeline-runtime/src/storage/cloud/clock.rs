//! [`StoreClock`]: the offset between the store's clock and this machine's, measured by the `Date` of its answers.
//!
//! Objects have the store's times, but callers give `since` by this machine's clock. A store that is behind gives a new object a
//! time that has already passed, and signatures fail only beyond 15 minutes. So `since` is moved back by as much as the store may
//! be behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use hyper::HeaderMap;
use hyper::header::{AGE, DATE};

/// Only larger offsets are reported.
const SMALLEST_REPORTED: TimeDelta = TimeDelta::seconds(2);

/// Clones share the measurement.
#[derive(Debug, Clone, Default)]
pub(super) struct StoreClock(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    measured: Mutex<Option<OffsetBounds>>,
    /// True once the offset has been reported.
    is_reported: AtomicBool,
}

/// The store's time minus ours lies between these bounds: a `Date` has whole seconds, and an answer takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OffsetBounds {
    least: TimeDelta,
    most: TimeDelta,
}

impl StoreClock {
    /// Measures by the answer to a request that was sent and answered at these times by our clock. An offset is reported once.
    pub(super) fn note(&self, headers: &HeaderMap, sent: DateTime<Utc>, answered: DateTime<Utc>, endpoint: &str) {
        // The `Date` of a cached answer is the time at which it was cached.
        let is_fresh = !headers.contains_key(AGE);
        let date = headers.get(DATE).filter(|_| is_fresh).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()).map(|date| date.to_utc()) {
            let measured = OffsetBounds { least: date - answered, most: date + TimeDelta::seconds(1) - sent };
            *self.0.measured.lock().unwrap_or_else(PoisonError::into_inner) = Some(measured);
        }
        if let Some(off) = self.offset()
            && !self.0.is_reported.swap(true, Ordering::Relaxed)
        {
            let (seconds, which) = (off.abs().num_seconds(), if off > TimeDelta::zero() { "ahead of" } else { "behind" });
            tracing::warn!(
                "the clock of {endpoint} is at least {seconds} s {which} this machine's: its objects have its times; correct the wrong one"
            );
        }
    }

    /// The earliest time of an object that was written at `since` or later by this machine's clock.
    pub(super) fn earliest(&self, since: DateTime<Utc>) -> DateTime<Utc> {
        let behind = self.measured().map_or(TimeDelta::zero(), |measured| measured.least.min(TimeDelta::zero()));
        // Most stores report whole seconds: an object has the time at which its second began.
        since.checked_add_signed(behind).unwrap_or(since).trunc_subsecs(0)
    }

    /// The time of the store's clock, as far as it is known.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let off = self.offset().unwrap_or_default();
        Utc::now() + off
    }

    /// The offset between the clocks, if it is large enough to report: positive if the store is ahead.
    pub(super) fn offset(&self) -> Option<TimeDelta> {
        let OffsetBounds { least, most } = self.measured()?;
        let off = if least > TimeDelta::zero() { least } else { most.min(TimeDelta::zero()) };
        (off.abs() > SMALLEST_REPORTED).then_some(off)
    }

    fn measured(&self) -> Option<OffsetBounds> {
        *self.0.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn clock(date: &'static str, sent: &str, answered: &str) -> StoreClock {
        let clock = StoreClock::default();
        let headers = HeaderMap::from_iter([(DATE, date.parse().unwrap())]);
        clock.note(&headers, at(sent), at(answered), "http://s3");
        clock
    }

    #[test]
    fn what_is_asked_of_a_store_that_is_behind_is_moved_back() {
        let clock = clock("Sat, 28 Nov 2026 22:34:08 GMT", "2026-11-28T22:35:08.200Z", "2026-11-28T22:35:08.400Z");
        // Between 59.2 s and 60.4 s behind.
        assert_eq!(clock.offset(), Some(TimeDelta::milliseconds(-59_200)));
        assert_eq!(clock.earliest(at("2026-11-28T22:35:08Z")), at("2026-11-28T22:34:07Z"));
    }

    #[test]
    fn of_clocks_that_are_right_nothing_is_said_and_a_second_is_no_boundary() {
        let clock = clock("Sat, 28 Nov 2026 22:35:08 GMT", "2026-11-28T22:35:08.200Z", "2026-11-28T22:35:08.400Z");
        assert_eq!(clock.offset(), None);
        assert_eq!(clock.earliest(at("2026-11-28T22:35:08.700Z")), at("2026-11-28T22:35:08Z"));
        assert_eq!(clock.earliest(at("2026-11-28T22:35:08.300Z")), at("2026-11-28T22:35:07Z"), "it may be behind by as much");
        assert_eq!(StoreClock::default().earliest(at("2026-11-28T22:35:08.700Z")), at("2026-11-28T22:35:08Z"), "not asked yet");
    }

    #[test]
    fn a_store_that_is_ahead_is_asked_for_no_less() {
        let ahead = clock("Sat, 28 Nov 2026 22:36:08 GMT", "2026-11-28T22:35:08.200Z", "2026-11-28T22:35:08.400Z");
        assert_eq!(ahead.offset(), Some(TimeDelta::milliseconds(59_600)));
        assert_eq!(ahead.earliest(at("2026-11-28T22:35:08Z")), at("2026-11-28T22:35:08Z"));
        // From a cache.
        let cached = StoreClock::default();
        let headers =
            HeaderMap::from_iter([(DATE, "Sat, 28 Nov 2026 21:35:08 GMT".parse().unwrap()), (AGE, "3600".parse().unwrap())]);
        cached.note(&headers, at("2026-11-28T22:35:08Z"), at("2026-11-28T22:35:08Z"), "http://s3");
        assert_eq!(cached.offset(), None);
    }
}
