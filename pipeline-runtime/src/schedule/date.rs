//! Dates and zones as people write them on a command line or in an attribute.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};

use super::error::{DateError, ScheduleError};
use super::wall::Wall;
use super::{FIRST_YEAR, LAST_YEAR};
use crate::time::Zone;

/// Reads a date: `2024-03-25`, `2024-03-25T06:00`, or `2024-03-25T06:00:00Z` with any offset.
///
/// - A date alone is the start of that day in `zone`: midnight, or the first instant of the day where the zone's clock skips midnight.
/// - A time without an offset is `zone`'s wall clock. Where the clock shows it twice or never, it is refused, and the error says what to write.
/// - With `Z` or an offset, `zone` plays no part.
/// - Years run from 1678 to 2261: times are kept in nanoseconds, and a date beyond those would become another one.
///
/// Seconds and their fraction may be left out; a space may stand for the `T`.
///
/// ```
/// use pipeline_runtime::schedule::{parse_date, parse_zone};
///
/// let berlin = parse_zone("Europe/Berlin")?;
/// assert_eq!(parse_date("2024-03-25", berlin)?.to_string(), "2024-03-24 23:00:00 UTC");
/// assert_eq!(parse_date("2024-03-25T06:00", berlin)?.to_string(), "2024-03-25 05:00:00 UTC");
/// assert_eq!(parse_date("2024-03-25T06:00:00Z", berlin)?.to_string(), "2024-03-25 06:00:00 UTC");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// ```
/// # use pipeline_runtime::schedule::{parse_date, parse_zone};
/// # let berlin = parse_zone("Europe/Berlin").unwrap();
/// let error = parse_date("2024-10-27T02:30", berlin).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`2024-10-27T02:30` happened twice in Europe/Berlin; write `2024-10-27T02:30:00+02:00` or `2024-10-27T02:30:00+01:00`",
/// );
/// ```
pub fn parse_date(text: &str, zone: Zone) -> Result<DateTime<Utc>, DateError> {
    let date = read(text, zone)?;
    if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) { Ok(date) } else { Err(DateError::Outside { text: text.to_owned() }) }
}

fn read(text: &str, zone: Zone) -> Result<DateTime<Utc>, DateError> {
    let form = || DateError::Form { text: text.to_owned() };
    let value = |reason| DateError::Value { text: text.to_owned(), reason };
    let trimmed = text.trim();
    let (date, rest) = match trimmed.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (trimmed, None),
    };
    let [year, month, day] = digits(date, '-', &[4, 2, 2]).ok_or_else(form)?;
    let year = i32::try_from(year).map_err(|_| form())?;
    let date = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| value("the calendar has no such day"))?;
    let Some(rest) = rest else {
        // The first instant of the day, whatever the clock did at midnight.
        return Ok(Wall::at(zone, date.and_time(NaiveTime::MIN)).first());
    };

    let (time, offset) = split_offset(rest).ok_or_else(form)?;
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, nanoseconds(fraction).ok_or_else(form)?),
        None => (time, 0),
    };
    let [hour, minute, second] = match digits(time, ':', &[2, 2]) {
        Some([hour, minute]) if fraction == 0 => [hour, minute, 0],
        _ => digits(time, ':', &[2, 2, 2]).ok_or_else(form)?,
    };
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, fraction).ok_or_else(|| value("the clock has no such time"))?;
    let wall = date.and_time(time);
    match offset {
        Some(offset) => wall.and_local_timezone(offset).single().map(|at| at.to_utc()).ok_or_else(form),
        None => at_wall_clock(text, zone, wall),
    }
}

/// Reads an IANA time zone name, such as `Europe/Berlin` or `UTC`. The case matters, as it does to Airflow.
pub fn parse_zone(zone: &str) -> Result<Zone, ScheduleError> {
    Zone::named(zone.trim()).ok_or_else(|| {
        let wanted = zone.trim().to_ascii_lowercase().replace(' ', "_");
        let is_near = |name: &str| {
            let name = name.to_ascii_lowercase();
            name == wanted || name.rsplit('/').next() == Some(&wanted)
        };
        let near = Zone::names().find(|name| !wanted.is_empty() && is_near(name));
        let hint = match near {
            Some(name) => format!("did you mean `{name}`?"),
            None => "write an IANA name such as `Europe/Berlin` or `UTC`".to_owned(),
        };
        ScheduleError::Zone { zone: zone.to_owned(), hint }
    })
}

fn at_wall_clock(text: &str, zone: Zone, wall: NaiveDateTime) -> Result<DateTime<Utc>, DateError> {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false);
    match Wall::at(zone, wall) {
        Wall::Once(at) => Ok(at),
        Wall::Twice(first, second) => {
            Err(DateError::Fold { text: text.to_owned(), zone: zone.name(), first: local(first), second: local(second) })
        }
        Wall::Skipped(after) => {
            // A clock shows whole seconds; the one after the gap's last tells where it began.
            let last = (after - TimeDelta::seconds(1)).with_timezone(&zone).naive_local() + TimeDelta::seconds(1);
            let to = after.with_timezone(&zone).naive_local();
            Err(DateError::Gap {
                text: text.to_owned(),
                zone: zone.name(),
                from: clock(last, to),
                to: clock(to, last),
                after: local(after),
            })
        }
    }
}

/// The time of day, with the date where the other one has another.
fn clock(time: NaiveDateTime, other: NaiveDateTime) -> String {
    let format = if time.date() == other.date() { "%H:%M" } else { "%Y-%m-%dT%H:%M" };
    time.format(format).to_string()
}

/// Numbers of exactly these widths, and nothing else.
fn digits<const N: usize>(text: &str, separator: char, widths: &[usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == *width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The time, and the offset after it if there is one.
fn split_offset(text: &str) -> Option<(&str, Option<FixedOffset>)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, FixedOffset::east_opt(0)));
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some((text, None));
    };
    let (time, offset) = text.split_at(at);
    let [hours, minutes] = digits(&offset[1..], ':', &[2, 2])?;
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours < 24 && minutes < 60)?;
    let seconds = if offset.starts_with('-') { -seconds } else { seconds };
    Some((time, Some(FixedOffset::east_opt(seconds)?)))
}

/// A fraction of a second, of one to nine digits.
fn nanoseconds(fraction: &str) -> Option<u32> {
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=9).contains(digits))?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(fraction.parse::<u32>().ok()? * 10_u32.pow(9 - digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn parse(text: &str, zone: Zone) -> String {
        match parse_date(text, zone) {
            Ok(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_form_is_read() {
        for (text, utc) in [
            ("2024-03-25", "2024-03-24T23:00:00Z"),
            ("2024-07-01", "2024-06-30T22:00:00Z"),
            ("2024-03-25T06:00", "2024-03-25T05:00:00Z"),
            ("2024-03-25 06:00", "2024-03-25T05:00:00Z"),
            ("2024-03-25T06:00:30", "2024-03-25T05:00:30Z"),
            ("2024-03-25T06:00:00Z", "2024-03-25T06:00:00Z"),
            ("2024-03-25t06:00z", "2024-03-25T06:00:00Z"),
            ("2024-03-25T06:00:00.5Z", "2024-03-25T06:00:00.500Z"),
            ("2024-03-25T06:00:00-05:30", "2024-03-25T11:30:00Z"),
            (" 2024-02-29 ", "2024-02-28T23:00:00Z"),
            ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00Z"),
        ] {
            assert_eq!(parse(text, zone("Europe/Berlin")), utc, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused_with_those_that_are_read() {
        for text in [
            "",
            "now",
            "2024",
            "2024-3-5",
            "24-03-05",
            "+2024-03-05",
            "2024/03/05",
            "2024-03-25T",
            "2024-03-25T6:00",
            "2024-03-25T06",
            "2024-03-25Z",
            "2024-03-25T06:00:00+0100",
            "2024-03-25T06:00:00+25:00",
            "2024-03-25T06:00.5",
            "2024-03-25T06:00:00.",
            "2024-03-25T06:00:00.1234567890",
            "2024-03-25T06:00:00 Z",
            "12024-03-25",
            "2024-03-2٥",
        ] {
            assert_eq!(parse_date(text, Zone::UTC), Err(DateError::Form { text: text.into() }));
        }
        assert_eq!(
            parse("tomorrow", Zone::UTC),
            "`tomorrow` is not a date; write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`"
        );
    }

    #[test]
    fn values_out_of_range_are_named() {
        assert_eq!(parse("2023-02-29", Zone::UTC), "`2023-02-29` does not exist: the calendar has no such day");
        assert_eq!(parse("2024-03-25T24:00", Zone::UTC), "`2024-03-25T24:00` does not exist: the clock has no such time");
        assert_eq!(parse("2024-03-25T23:59:60Z", Zone::UTC), "`2024-03-25T23:59:60Z` does not exist: the clock has no such time");
    }

    #[test]
    fn a_date_that_nanoseconds_do_not_hold_is_refused() {
        for text in ["0000-01-01", "0001-01-01", "1600-01-01", "1677-12-31T23:59:59Z", "2262-01-01", "2300-01-01", "9999-12-31"] {
            assert_eq!(
                parse(text, Zone::UTC),
                format!("`{text}` cannot be kept: years run from 1678 to 2261, as times are counted in nanoseconds")
            );
        }
        for text in ["1678-01-01T00:00:00Z", "2261-12-31T23:59:59Z"] {
            assert_eq!(parse(text, Zone::UTC), text);
            let kept = crate::Timestamp::from(parse_date(text, Zone::UTC).unwrap());
            assert_eq!(kept.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true), text);
        }
    }

    #[test]
    fn a_time_in_a_gap_is_refused_and_a_day_that_starts_in_one_is_not() {
        assert_eq!(
            parse("2024-03-31T02:30", zone("Europe/Berlin")),
            "`2024-03-31T02:30` does not exist in Europe/Berlin, whose clock then went from 02:00 to 03:00; \
             write `2024-03-31T03:00:00+02:00`, the first instant after it"
        );
        assert_eq!(parse("2018-11-04", zone("America/Sao_Paulo")), "2018-11-04T03:00:00Z");
        assert_eq!(parse("2011-12-30", zone("Pacific/Apia")), "2011-12-30T10:00:00Z");
        assert_eq!(
            parse("2011-12-30T12:00", zone("Pacific/Apia")),
            "`2011-12-30T12:00` does not exist in Pacific/Apia, whose clock then went from 2011-12-30T00:00 to 2011-12-31T00:00; \
             write `2011-12-31T00:00:00+14:00`, the first instant after it"
        );
    }

    #[test]
    fn a_time_in_a_fold_is_refused_and_a_day_that_starts_in_one_starts_at_the_first() {
        assert_eq!(
            parse("2024-11-03T01:30", zone("America/New_York")),
            "`2024-11-03T01:30` happened twice in America/New_York; write `2024-11-03T01:30:00-04:00` or `2024-11-03T01:30:00-05:00`"
        );
        assert_eq!(parse("2024-11-03", zone("America/Havana")), "2024-11-03T04:00:00Z");
    }

    #[test]
    fn an_unknown_zone_gets_a_hint() {
        let hint = |zone| parse_zone(zone).unwrap_err().to_string();
        assert_eq!(hint("europe/berlin"), "`europe/berlin` is not a time zone; did you mean `Europe/Berlin`?");
        assert_eq!(hint("new york"), "`new york` is not a time zone; did you mean `America/New_York`?");
        assert_eq!(hint("Mars"), "`Mars` is not a time zone; write an IANA name such as `Europe/Berlin` or `UTC`");
        assert_eq!(hint(""), "`` is not a time zone; write an IANA name such as `Europe/Berlin` or `UTC`");
    }
}
