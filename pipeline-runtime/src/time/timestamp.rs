use chrono::{DateTime, Utc};
use std::time::Duration;

/// A point in time on a [`Clock`](super::Clock), in nanoseconds since the Unix epoch.
///
/// ```
/// use pipeline_runtime::Timestamp;
/// use std::time::Duration;
///
/// let start = Timestamp::from_nanos(1_000_000_000);
/// let later = start + Duration::from_secs(45);
/// assert_eq!(later.since(start), Duration::from_secs(45));
/// assert_eq!(start.since(later), Duration::ZERO); // never negative
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Later than every other time: a deadline that never comes.
    pub const NEVER: Self = Self(i64::MAX);

    /// The time that many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this one; zero if this is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// Like [`since`](Self::since), in nanoseconds.
    #[inline]
    pub(crate) fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).max(0).unsigned_abs()
    }

    /// This time plus `elapsed`, which must be shorter than 292 years.
    #[inline]
    pub(super) const fn after(self, elapsed: Duration) -> Self {
        // A 64-bit sum of nanoseconds, which covers 292 years: `Duration` would compute it in 128 bits.
        let nanos = elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(elapsed.subsec_nanos() as u64);
        Self(self.0.saturating_add(nanos.cast_signed()))
    }

    /// The same time as a date.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Dates outside of the years 1677 to 2262 become the nearest time that can be represented.
    fn from(date: DateTime<Utc>) -> Self {
        let nearest = if date.timestamp() < 0 { i64::MIN } else { i64::MAX };
        Self(date.timestamp_nanos_opt().unwrap_or(nearest))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at the earliest time that can be represented.
    fn sub(self, duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).map_or(i64::MIN, |nanos| self.0.saturating_sub(nanos)))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at [`Timestamp::NEVER`].
    fn add(self, duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).map_or(i64::MAX, |nanos| self.0.saturating_add(nanos)))
    }
}
