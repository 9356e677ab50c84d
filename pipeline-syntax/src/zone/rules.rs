//! The rules of one zone, and the resulting offsets.
//!
//! Compiled zones are read by jiff-core, the part of jiff for this purpose: all of jiff takes three times as long to build, and
//! the rest is not needed. Its interface is less stable than jiff's, so only this file uses it.

use chrono::{FixedOffset, MappedLocalTime};
use jiff_core::tz::tzif::TimeZone;
use jiff_core::tz::{AmbiguousOffset, Offset};
use jiff_core::{Timestamp, civil};

/// The rules of one zone, from one edition of a database.
#[derive(Debug)]
pub struct Rules {
    zone: TimeZone,
}

impl Rules {
    /// Reads a compiled zone.
    ///
    /// ```
    /// use pipeline_syntax::zone::{Rules, database};
    ///
    /// let berlin = database::built_in("Europe/Berlin").and_then(Rules::read).ok_or("no such zone")?;
    /// assert_eq!(berlin.at(1_719_835_200).to_string(), "+02:00"); // 2024-07-01T12:00:00Z
    /// # Ok::<(), &str>(())
    /// ```
    pub fn read(bytes: &[u8]) -> Option<Self> {
        TimeZone::parse(bytes).ok().map(|zone| Self { zone })
    }

    /// True if both were read from the same bytes, judging by their checksums.
    pub fn are(&self, other: &Self) -> bool {
        self.zone == other.zone
    }

    /// The instants at which the offset changes, as far as the zone lists them.
    pub fn listed(&self) -> Vec<i64> {
        // The first entry represents the beginning of time.
        self.zone.transitions.timestamps.iter().skip(1).map(|at| at.as_second()).collect()
    }

    /// The offset from UTC at an instant, in seconds since the Unix epoch.
    pub fn at(&self, seconds: i64) -> FixedOffset {
        fixed(self.zone.to_offset(timestamp(seconds)))
    }

    /// The offsets at a wall clock time, in seconds since 1970 by that clock: none in a gap, both in a fold, the earlier first.
    pub fn at_local(&self, seconds: i64) -> MappedLocalTime<FixedOffset> {
        let wall: civil::DateTime = timestamp(seconds).to_datetime(Offset::UTC);
        match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(fixed(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => MappedLocalTime::Ambiguous(fixed(before), fixed(after)),
        }
    }
}

/// jiff ends with the year 9999 and chrono long after it. A zone's last rules apply forever and repeat every 400 years, as the
/// calendar does.
fn timestamp(seconds: i64) -> Timestamp {
    const CYCLE: i64 = 146_097 * 24 * 60 * 60;
    /// The start of the year 9999.
    const END: i64 = 253_370_764_800;
    let seconds = if seconds < END { seconds } else { END - CYCLE + (seconds - END) % CYCLE };
    // Before the year -9999 no clock changes.
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN)
}

/// Offsets of a day or more, which jiff can read and chrono cannot represent, occur in no database.
fn fixed(offset: Offset) -> FixedOffset {
    const MOST: i32 = 24 * 60 * 60 - 1;
    FixedOffset::east_opt(offset.seconds().clamp(-MOST, MOST)).unwrap_or_else(|| chrono::Offset::fix(&chrono::Utc))
}
