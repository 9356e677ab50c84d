//! Conversion from a zone's wall clock to instants, with the two hard cases named: skipped times and repeated times.

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, TimeDelta, Utc};

/// A zone with a wall clock. The macros use one with the current rules, the runtime one that follows updates.
pub trait WallClock {
    /// The zone's name in the IANA database.
    fn name(&self) -> &str;
    /// The offset from UTC at an instant.
    fn offset_at(&self, at: DateTime<Utc>) -> FixedOffset;
    /// The offsets at a time of the wall clock: none in a gap, both in a fold, the earlier first.
    fn offset_at_local(&self, wall: NaiveDateTime) -> MappedLocalTime<FixedOffset>;

    /// An instant in the zone, with its offset.
    fn show(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        at.with_timezone(&self.offset_at(at))
    }
}

/// The instants of a wall clock time in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// The clock shows it once.
    Once(DateTime<Utc>),
    /// The clock shows it twice, in this order, because it was set back.
    Twice(DateTime<Utc>, DateTime<Utc>),
    /// The clock never shows it, because it was set forward. The first instant after the gap is used instead.
    Skipped(DateTime<Utc>),
}

impl Wall {
    /// The instants of `wall` in `zone`.
    ///
    /// ```
    /// use pipeline_syntax::zone::{self, Wall};
    ///
    /// let berlin = zone::parse("Europe/Berlin")?;
    /// let utc = |text: &str| text.parse().unwrap();
    /// assert_eq!(Wall::at(&berlin, "2024-07-01T06:00:00".parse().unwrap()), Wall::Once(utc("2024-07-01T04:00:00Z")));
    /// assert_eq!(Wall::at(&berlin, "2024-03-31T02:30:00".parse().unwrap()), Wall::Skipped(utc("2024-03-31T01:00:00Z")));
    /// # Ok::<(), String>(())
    /// ```
    pub fn at(zone: &impl WallClock, wall: NaiveDateTime) -> Self {
        let instant = |offset: FixedOffset| (wall - offset).and_utc();
        match zone.offset_at_local(wall).map(instant) {
            MappedLocalTime::Single(at) => Self::Once(at),
            MappedLocalTime::Ambiguous(a, b) => Self::Twice(a.min(b), a.max(b)),
            MappedLocalTime::None => Self::Skipped(first_instant_showing_more_than(zone, wall)),
        }
    }

    /// The instant to use if one is needed: the first of two, or the end of a gap.
    pub fn first(self) -> DateTime<Utc> {
        match self {
            Self::Once(at) | Self::Twice(at, _) | Self::Skipped(at) => at,
        }
    }
}

/// The end of the gap that contains `wall`, to the second, by bisection.
///
/// Around a gap local time only grows, and no offset from UTC exceeds a day, so the answer lies within a day of `wall` read as
/// UTC. Gaps may be long: Samoa skipped the whole of 30 December 2011.
fn first_instant_showing_more_than(zone: &impl WallClock, wall: NaiveDateTime) -> DateTime<Utc> {
    const DAY_SECONDS: i64 = 24 * 60 * 60;
    let instant = |seconds: i64| wall.and_utc() + TimeDelta::seconds(seconds);
    let (mut before, mut after) = (-DAY_SECONDS, DAY_SECONDS);
    while after - before > 1 {
        let middle = before.midpoint(after);
        if zone.show(instant(middle)).naive_local() > wall {
            after = middle;
        } else {
            before = middle;
        }
    }
    instant(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> crate::zone::Zone {
        crate::zone::parse(name).unwrap()
    }

    fn wall(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_skipped_time_stands_for_the_end_of_its_gap() {
        for (zone, skipped, after) in [
            (zone("Europe/Berlin"), "2024-03-31T02:00:00", "2024-03-31T01:00:00Z"),
            (zone("Europe/Berlin"), "2024-03-31T02:59:00", "2024-03-31T01:00:00Z"),
            (zone("America/New_York"), "2024-03-10T02:30:00", "2024-03-10T07:00:00Z"),
            (zone("Australia/Lord_Howe"), "2024-10-06T02:15:00", "2024-10-05T15:30:00Z"),
            (zone("America/Sao_Paulo"), "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"),
            (zone("Pacific/Apia"), "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(Wall::at(&zone, wall(skipped)), Wall::Skipped(utc(after)), "{zone:?} {skipped}");
        }
    }

    #[test]
    fn a_repeated_time_has_two_instants_in_order() {
        assert_eq!(
            Wall::at(&zone("Europe/Berlin"), wall("2024-10-27T02:30:00")),
            Wall::Twice(utc("2024-10-27T00:30:00Z"), utc("2024-10-27T01:30:00Z"))
        );
    }
}
