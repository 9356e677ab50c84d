//! Zones as chrono's time zones, so that its dates work with them.

use super::Zone;
use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use pipeline_syntax::zone::WallClock;
use std::fmt;

/// An offset from UTC, and the [`Zone`] that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    offset: FixedOffset,
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.offset
    }
}

/// `+02:00`, because abbreviations such as `CST` are ambiguous.
impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.offset.fmt(f)
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    /// An offset that is in effect during some part of the day.
    fn offset_from_local_date(&self, day: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        let last = NaiveTime::from_num_seconds_from_midnight_opt(24 * 60 * 60 - 1, 0).unwrap_or_default();
        let mut ends = [NaiveTime::MIN, last].into_iter().map(|time| self.offset_from_local_datetime(&day.and_time(time)));
        ends.find_map(MappedLocalTime::earliest).map_or(MappedLocalTime::None, MappedLocalTime::Single)
    }

    /// `None` in a gap; in a fold both offsets, the earlier first.
    fn offset_from_local_datetime(&self, wall: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        self.offset_at_local(*wall).map(|offset| ZoneOffset { zone: *self, offset })
    }

    fn offset_from_utc_date(&self, day: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&day.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        ZoneOffset { zone: *self, offset: self.offset_at(utc.and_utc()) }
    }
}

impl WallClock for Zone {
    fn name(&self) -> &str {
        Zone::name(*self)
    }

    fn offset_at(&self, at: DateTime<Utc>) -> FixedOffset {
        self.rules.map_or_else(|| Utc.fix(), |rules| rules.at(at.timestamp()))
    }

    fn offset_at_local(&self, wall: NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        match self.rules {
            Some(rules) => rules.at_local(wall.and_utc().timestamp()),
            None => MappedLocalTime::Single(Utc.fix()),
        }
    }
}
