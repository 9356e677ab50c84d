//! The days on which a zone's clock does not change.

use chrono::{FixedOffset, NaiveDate, NaiveTime, Offset, TimeZone};

use crate::time::Zone;

/// The offset that is in effect during a whole local day, or `None` if the clock changes during it or at one of its ends.
///
/// Only the ends of the day are checked. That no zone changes its clock and changes it back within a day was verified against the
/// tz database.
pub(super) fn constant_offset(zone: Zone, day: NaiveDate) -> Option<FixedOffset> {
    let at_midnight =
        |day: NaiveDate| zone.offset_from_local_datetime(&day.and_time(NaiveTime::MIN)).single().map(|offset| offset.fix());
    let offset = at_midnight(day)?;
    (at_midnight(day.succ_opt()?)? == offset).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
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
