//! The rules of one zone, and the offsets that follow from them.
//!
//! What reads compiled zones is jiff-core, the part of jiff that does this alone: all of jiff takes three times as long to build, and nothing
//! more of it is needed. Its authors promise less of its interface than of jiff's, and so no other file names it.

use chrono::{FixedOffset, MappedLocalTime};
use jiff_core::tz::tzif::TimeZone;
use jiff_core::tz::{AmbiguousOffset, Offset};
use jiff_core::{Timestamp, civil};

/// What one edition of a database says of one zone.
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

    /// Whether both were read from the same bytes, by their checksums.
    pub fn are(&self, other: &Self) -> bool {
        self.zone == other.zone
    }

    /// The instants at which something changes, as far as they are listed.
    pub fn listed(&self) -> Vec<i64> {
        // The first stands for the beginning of time.
        self.zone.transitions.timestamps.iter().skip(1).map(|at| at.as_second()).collect()
    }

    /// The offset from UTC at an instant, in seconds since the Unix epoch.
    pub fn at(&self, seconds: i64) -> FixedOffset {
        fixed(self.zone.to_offset(timestamp(seconds)))
    }

    /// The offsets at a time of the wall clock, in seconds since 1970 by that clock: none in a gap, both in a fold, the earlier first.
    pub fn at_local(&self, seconds: i64) -> MappedLocalTime<FixedOffset> {
        let wall: civil::DateTime = timestamp(seconds).to_datetime(Offset::UTC);
        match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(fixed(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => MappedLocalTime::Ambiguous(fixed(before), fixed(after)),
        }
    }
}

/// jiff ends with the year 9999 and chrono long after it. A zone's last rules go on for ever and repeat every 400 years, as the calendar does.
fn timestamp(seconds: i64) -> Timestamp {
    const CYCLE: i64 = 146_097 * 24 * 60 * 60;
    /// The start of the year 9999.
    const END: i64 = 253_370_764_800;
    let seconds = if seconds < END { seconds } else { END - CYCLE + (seconds - END) % CYCLE };
    // Before the year -9999 no clock has been changed.
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN)
}

/// Offsets of a day and more, which jiff reads and chrono does not have, are in no database.
fn fixed(offset: Offset) -> FixedOffset {
    const MOST: i32 = 24 * 60 * 60 - 1;
    FixedOffset::east_opt(offset.seconds().clamp(-MOST, MOST)).unwrap_or_else(|| chrono::Offset::fix(&chrono::Utc))
}
