//! From a zone's wall clock to instants, with the two hard cases named: times that were skipped and times that came twice.

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};

use crate::time::Zone;

/// What a zone's clock says of a wall clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wall {
    /// It shows it once.
    Once(DateTime<Utc>),
    /// It shows it twice, in this order: the clock was put back.
    Twice(DateTime<Utc>, DateTime<Utc>),
    /// It never shows it: the clock was put forward. The first instant after the gap stands in for it.
    Skipped(DateTime<Utc>),
}

impl Wall {
    /// The instants of `wall` in `zone`.
    pub(super) fn at(zone: Zone, wall: NaiveDateTime) -> Self {
        match zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(at) => Self::Once(at.to_utc()),
            MappedLocalTime::Ambiguous(a, b) => Self::Twice(a.min(b).to_utc(), a.max(b).to_utc()),
            MappedLocalTime::None => Self::Skipped(first_instant_showing_more_than(zone, wall)),
        }
    }

    /// The instant that stands for this time where one is wanted: the first of two, the end of a gap.
    pub(super) fn first(self) -> DateTime<Utc> {
        match self {
            Self::Once(at) | Self::Twice(at, _) | Self::Skipped(at) => at,
        }
    }
}

/// The offset in force all through a local day, or `None` if the clock changes during it or at one of its ends.
///
/// Only the ends are asked. That no zone changes its clock and changes it back within a day was checked against the tz database.
pub(super) fn constant_offset(zone: Zone, day: NaiveDate) -> Option<FixedOffset> {
    let at_midnight =
        |day: NaiveDate| zone.offset_from_local_datetime(&day.and_time(NaiveTime::MIN)).single().map(|offset| offset.fix());
    let offset = at_midnight(day)?;
    (at_midnight(day.succ_opt()?)? == offset).then_some(offset)
}

/// The end of the gap that swallowed `wall`, to the second, by bisection.
///
/// Around a gap local time only grows, and no offset from UTC exceeds a day, so the answer lies within a day of `wall` read as UTC. Gaps
/// may be long: Samoa skipped the whole of 30 December 2011.
fn first_instant_showing_more_than(zone: Zone, wall: NaiveDateTime) -> DateTime<Utc> {
    const DAY_SECONDS: i64 = 24 * 60 * 60;
    let instant = |seconds: i64| wall.and_utc() + TimeDelta::seconds(seconds);
    let (mut before, mut after) = (-DAY_SECONDS, DAY_SECONDS);
    while after - before > 1 {
        let middle = before.midpoint(after);
        if instant(middle).with_timezone(&zone).naive_local() > wall {
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

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
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
            assert_eq!(Wall::at(zone, wall(skipped)), Wall::Skipped(utc(after)), "{zone} {skipped}");
        }
    }

    #[test]
    fn a_repeated_time_has_two_instants_in_order() {
        assert_eq!(
            Wall::at(zone("Europe/Berlin"), wall("2024-10-27T02:30:00")),
            Wall::Twice(utc("2024-10-27T00:30:00Z"), utc("2024-10-27T01:30:00Z"))
        );
    }

    #[test]
    fn days_on_which_the_clock_changes_have_no_constant_offset() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(constant_offset(zone("Europe/Berlin"), day("2024-03-30")), FixedOffset::east_opt(3600));
        assert_eq!(constant_offset(zone("Europe/Berlin"), day("2024-03-31")), None);
        assert_eq!(constant_offset(zone("Europe/Berlin"), day("2024-04-01")), FixedOffset::east_opt(7200));
        assert_eq!(constant_offset(zone("Pacific/Apia"), day("2011-12-30")), None);
    }
}
