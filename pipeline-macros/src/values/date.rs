//! Dates: a day, or an instant by RFC 3339.

use super::zone::Zone;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// A date as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Date {
    /// Midnight of a day in the pipeline's time zone.
    Day(NaiveDate),
    /// A moment, whatever the time zone.
    Instant(DateTime<Utc>),
}

impl Date {
    /// For comparisons; a midnight that a clock change skips counts as it would have been in UTC.
    pub(crate) fn instant(self, zone: &Zone) -> DateTime<Utc> {
        match self {
            Date::Instant(instant) => instant,
            Date::Day(day) => {
                let midnight = day.and_time(chrono::NaiveTime::MIN);
                zone.earliest(midnight).unwrap_or_else(|| midnight.and_utc())
            }
        }
    }
}

/// The date, or why it is none.
pub(crate) fn parse(text: &str) -> Result<Date, String> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(Date::Day(day));
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(Date::Instant(instant.to_utc()));
    }
    Err(explain(text))
}

fn explain(text: &str) -> String {
    let without_offset = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    if let Some(local) = without_offset {
        return format!("the offset is missing: write `{}`", local.format("%Y-%m-%dT%H:%M:%SZ"));
    }
    let other_order =
        ["%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%Y%m%d"].iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok());
    if let Some(day) = other_order {
        return format!("write `{}`", day.format("%Y-%m-%d"));
    }
    let looks_right = text.split('-').count() == 3 && text.len() == "2024-01-31".len();
    if looks_right && text.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return "the calendar has no such day".to_owned();
    }
    "write a day, `2024-01-31`, or an instant, `2024-01-31T06:00:00Z`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        super::super::zone::parse(name).expect(name)
    }

    fn refused(text: &str) -> String {
        parse(text).expect_err(text)
    }

    #[test]
    fn days_and_instants_are_read() {
        assert!(matches!(parse("2024-01-31"), Ok(Date::Day(_))));
        let instant = parse("2024-01-31T06:00:00+02:00").expect("instant");
        assert_eq!(instant.instant(&Zone::utc()).to_rfc3339(), "2024-01-31T04:00:00+00:00");
    }

    #[test]
    fn a_day_begins_at_its_zones_midnight() {
        let day = parse("2024-01-31").expect("day");
        assert_eq!(day.instant(&zone("Europe/Berlin")).to_rfc3339(), "2024-01-30T23:00:00+00:00");
        // In Beirut the clocks went from 23:59 to 01:00.
        let skipped = parse("2024-03-31").expect("day");
        assert_eq!(skipped.instant(&zone("Asia/Beirut")).to_rfc3339(), "2024-03-31T00:00:00+00:00");
    }

    #[test]
    fn mistakes_say_what_to_write() {
        assert_eq!(refused("2024-02-30"), "the calendar has no such day");
        assert_eq!(refused("2024/01/31"), "write `2024-01-31`");
        assert_eq!(refused("31.01.2024"), "write `2024-01-31`");
        assert_eq!(refused("2024-01-31 06:00"), "the offset is missing: write `2024-01-31T06:00:00Z`");
        assert!(refused("tomorrow").starts_with("write a day"));
    }
}
