//! Dates as people write them in an attribute or on a command line, and the window between two of them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use std::fmt;

use crate::zone::{Wall, WallClock};

/// Times are stored as nanoseconds in 64 bits; this is the first year that fits as a whole.
pub const FIRST_YEAR: i32 = 1678;
/// The last year that fits as a whole.
pub const LAST_YEAR: i32 = 2261;

/// A date as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Date {
    /// `2024-01-31`: that day in the zone.
    Day(NaiveDate),
    /// `2024-01-31T06:00`: a time on the zone's wall clock.
    Local(NaiveDateTime),
    /// `2024-01-31T06:00:00Z`: an instant, regardless of the zone.
    Instant(DateTime<Utc>),
}

/// Why a date was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateError {
    /// The text has none of the accepted forms.
    Form {
        /// The text as given.
        text: String,
        /// What to write instead.
        hint: String,
    },
    /// The form is right, but the calendar or the clock has no such value.
    Value {
        /// The text as given.
        text: String,
        /// Which part is out of range.
        reason: &'static str,
    },
    /// The time is outside of the supported years.
    Outside {
        /// The text as given.
        text: String,
    },
    /// The zone's clock skipped this time.
    Gap {
        /// The text as given.
        text: String,
        /// The time zone's name.
        zone: String,
        /// The wall clock time at which the gap begins.
        from: String,
        /// The wall clock time at which it ends.
        to: String,
        /// The first instant after the gap, in RFC 3339.
        after: String,
    },
    /// The zone's clock showed this time twice.
    Fold {
        /// The text as given.
        text: String,
        /// The time zone's name.
        zone: String,
        /// The first of the two instants, in RFC 3339.
        first: String,
        /// The second of the two instants, in RFC 3339.
        second: String,
    },
    /// A window that ends before it starts.
    EndBeforeStart {
        /// The start as given.
        start: String,
        /// The end as given.
        end: String,
    },
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { text, hint } => write!(f, "`{text}` is not a date; {hint}"),
            Self::Value { text, reason } => write!(f, "`{text}` does not exist: {reason}"),
            Self::Outside { text } => {
                write!(
                    f,
                    "`{text}` is out of range: years run from {FIRST_YEAR} to {LAST_YEAR}, because times are counted in nanoseconds"
                )
            }
            Self::Gap { text, zone, from, to, after } => write!(
                f,
                "`{text}` does not exist in {zone}, whose clock then went from {from} to {to}; write `{after}`, the first instant after it"
            ),
            Self::Fold { text, zone, first, second } => {
                write!(f, "`{text}` happened twice in {zone}; write `{first}` or `{second}`")
            }
            Self::EndBeforeStart { start, end } => write!(f, "the end, `{end}`, is before the start, `{start}`"),
        }
    }
}

impl std::error::Error for DateError {}

impl DateError {
    /// The mistake, for a message that already contains the text.
    ///
    /// ```
    /// use pipeline_syntax::date;
    ///
    /// assert_eq!(date::parse("2024/1/5").unwrap_err().reason(), "write `2024-01-05`");
    /// ```
    pub fn reason(&self) -> String {
        match self {
            Self::Form { hint, .. } => hint.clone(),
            Self::Value { reason, .. } => (*reason).to_owned(),
            other => other.to_string(),
        }
    }
}

/// Parses a date: `2024-03-25`, `2024-03-25T06:00`, or `2024-03-25T06:00:00Z` with any offset.
///
/// Seconds and their fraction are optional; a space may replace the `T`.
///
/// ```
/// use pipeline_syntax::date::{self, Date};
///
/// assert!(matches!(date::parse("2024-03-25"), Ok(Date::Day(_))));
/// assert!(matches!(date::parse("2024-03-25T06:00"), Ok(Date::Local(_))));
/// assert!(matches!(date::parse("2024-03-25T06:00:00+02:00"), Ok(Date::Instant(_))));
/// assert_eq!(date::parse("2024-1-5").unwrap_err().to_string(), "`2024-1-5` is not a date; write `2024-01-05`");
/// ```
pub fn parse(text: &str) -> Result<Date, DateError> {
    let form = || DateError::Form { text: text.to_owned(), hint: instead_of(text.trim()) };
    let value = |reason| DateError::Value { text: text.to_owned(), reason };
    let trimmed = text.trim();
    let (date, rest) = match trimmed.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (trimmed, None),
    };
    let [year, month, day] = digits(date, '-', &[4, 2, 2]).ok_or_else(form)?;
    let year = i32::try_from(year).map_err(|_| form())?;
    let date = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| value("the calendar has no such day"))?;
    let Some(rest) = rest else { return in_range(text, date).map(Date::Day) };

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
        Some(offset) => {
            let at = wall.and_local_timezone(offset).single().ok_or_else(form)?;
            in_range(text, at.to_utc()).map(Date::Instant)
        }
        None => in_range(text, wall).map(Date::Local),
    }
}

/// The date, if its year is supported.
fn in_range<D: Datelike>(text: &str, date: D) -> Result<D, DateError> {
    if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) { Ok(date) } else { Err(DateError::Outside { text: text.to_owned() }) }
}

/// Parses a date and returns the first instant that it denotes in a zone.
///
/// - A date alone is the start of the day: midnight, or the first instant of the day if the zone's clock skips midnight.
/// - A time without an offset is on the zone's wall clock. If the clock shows it twice or never, it is refused, and the error
///   says what to write.
/// - With `Z` or an offset, the zone is irrelevant.
///
/// ```
/// use pipeline_syntax::{date, zone};
///
/// let berlin = zone::parse("Europe/Berlin")?;
/// let utc = |text| date::instant(text, &berlin).map(|at| at.to_string());
/// assert_eq!(utc("2024-03-25").unwrap(), "2024-03-24 23:00:00 UTC");
/// assert_eq!(utc("2024-03-25T06:00").unwrap(), "2024-03-25 05:00:00 UTC");
/// assert_eq!(
///     utc("2024-10-27T02:30").unwrap_err().to_string(),
///     "`2024-10-27T02:30` happened twice in Europe/Berlin; write `2024-10-27T02:30:00+02:00` or `2024-10-27T02:30:00+01:00`",
/// );
/// # Ok::<(), String>(())
/// ```
pub fn instant(text: &str, zone: &impl WallClock) -> Result<DateTime<Utc>, DateError> {
    let at = match parse(text)? {
        Date::Day(day) => first_of_day(zone, day),
        Date::Local(wall) => at_wall_clock(text, zone, wall)?,
        Date::Instant(at) => at,
    };
    // The range applies to the year in UTC.
    in_range(text, at)
}

/// Parses a date and returns the last instant that it denotes in a zone: for a date alone the end of the day, to the nanosecond;
/// otherwise as [`instant`] does.
///
/// ```
/// use pipeline_syntax::{date, zone};
///
/// let berlin = zone::parse("Europe/Berlin")?;
/// let utc = |text| date::last_instant(text, &berlin).map(|at| at.to_string());
/// assert_eq!(utc("2024-03-25").unwrap(), "2024-03-25 22:59:59.999999999 UTC");
/// assert_eq!(utc("2024-03-25T06:00").unwrap(), "2024-03-25 05:00:00 UTC");
/// # Ok::<(), String>(())
/// ```
pub fn last_instant(text: &str, zone: &impl WallClock) -> Result<DateTime<Utc>, DateError> {
    // All forms except a day denote one instant, and a day is in range if its start is.
    let first = instant(text, zone)?;
    Ok(match parse(text)? {
        // West of UTC the last supported day ends after the last supported year.
        Date::Day(day) => last_of_day(zone, day).map_or(first, |last| if last.year() > LAST_YEAR { first } else { last }),
        Date::Local(_) | Date::Instant(_) => first,
    })
}

/// The first instant of the day, even if the clock skips or repeats midnight.
fn first_of_day(zone: &impl WallClock, day: NaiveDate) -> DateTime<Utc> {
    Wall::at(zone, day.and_time(NaiveTime::MIN)).first()
}

/// The last instant at which the zone's clock shows that day, or an earlier one if the clock skipped the whole day.
fn last_of_day(zone: &impl WallClock, day: NaiveDate) -> Option<DateTime<Utc>> {
    let before = |midnight: DateTime<Utc>| midnight - TimeDelta::nanoseconds(1);
    Some(match Wall::at(zone, day.succ_opt()?.and_time(NaiveTime::MIN)) {
        // The clock was set back across midnight: the day was repeated, and ends with the second midnight.
        Wall::Twice(_, second) if zone.show(before(second)).date_naive() == day => before(second),
        wall => before(wall.first()),
    })
}

/// The bound of a window that was refused, `start` or `end`, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowError {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong with it.
    pub error: Box<DateError>,
}

/// The bounds of a window. Both refer to the start of an interval and are inclusive, so they may be equal. A date alone is a
/// whole day: as the start it is its first instant, as the end its last.
///
/// ```
/// use pipeline_syntax::date;
/// use pipeline_syntax::zone::Zone;
///
/// assert!(date::window(Some("2024-01-05"), Some("2024-01-05"), &Zone::utc()).is_ok());
/// let refused = date::window(Some("2024-01-05"), Some("2024-01-04"), &Zone::utc()).unwrap_err();
/// assert_eq!(refused.option, "end");
/// assert_eq!(refused.error.to_string(), "the end, `2024-01-04`, is before the start, `2024-01-05`");
/// ```
pub fn window(start: Option<&str>, end: Option<&str>, zone: &impl WallClock) -> Result<Bounds, WindowError> {
    let of = |option| move |error| WindowError { option, error: Box::new(error) };
    let first = start.map(|text| instant(text, zone)).transpose().map_err(of("start"))?;
    let last = end.map(|text| last_instant(text, zone)).transpose().map_err(of("end"))?;
    let bounds = (first, last);
    match bounds {
        (Some(from), Some(to)) if to < from => {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let error = DateError::EndBeforeStart { start: text(start), end: text(end) };
            Err(WindowError { option: "end", error: Box::new(error) })
        }
        _ => Ok(bounds),
    }
}

/// The first and the last start of an interval, if they are given.
pub type Bounds = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// What to write instead of a text in no accepted form.
fn instead_of(text: &str) -> String {
    // Parsed leniently, because `2024-1-5` is clearly a date.
    let other = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%Y%m%d"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
        .filter(|day| (FIRST_YEAR..=LAST_YEAR).contains(&day.year()));
    match other {
        Some(day) => format!("write `{}`", day.format("%Y-%m-%d")),
        None => "write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`".to_owned(),
    }
}

fn at_wall_clock(text: &str, zone: &impl WallClock, wall: NaiveDateTime) -> Result<DateTime<Utc>, DateError> {
    let local = |at: DateTime<Utc>| zone.show(at).to_rfc3339_opts(SecondsFormat::AutoSi, false);
    match Wall::at(zone, wall) {
        Wall::Once(at) => Ok(at),
        Wall::Twice(first, second) => Err(DateError::Fold {
            text: text.to_owned(),
            zone: zone.name().to_owned(),
            first: local(first),
            second: local(second),
        }),
        Wall::Skipped(after) => {
            // A clock shows whole seconds; the second after the last one before the gap is where the gap begins.
            let last = zone.show(after - TimeDelta::seconds(1)).naive_local() + TimeDelta::seconds(1);
            let to = zone.show(after).naive_local();
            Err(DateError::Gap {
                text: text.to_owned(),
                zone: zone.name().to_owned(),
                from: clock(last, to),
                to: clock(to, last),
                after: local(after),
            })
        }
    }
}

/// The time of day, with the date if the other time is on another date.
fn clock(time: NaiveDateTime, other: NaiveDateTime) -> String {
    let format = if time.date() == other.date() { "%H:%M" } else { "%Y-%m-%dT%H:%M" };
    time.format(format).to_string()
}

/// Parses numbers of exactly these widths, and nothing else.
fn digits<const N: usize>(text: &str, separator: char, widths: &[usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == *width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Splits a text into the time and its offset, if there is one.
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

/// Parses a fraction of a second, of one to nine digits.
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
    use crate::zone::Zone;

    fn zone(name: &str) -> Zone {
        crate::zone::parse(name).unwrap()
    }

    fn read(text: &str, zone: &Zone) -> String {
        match instant(text, zone) {
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
            assert_eq!(read(text, &zone("Europe/Berlin")), utc, "{text}");
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
            assert!(matches!(parse(text), Err(DateError::Form { .. })), "{text}");
        }
        assert_eq!(
            read("tomorrow", &Zone::utc()),
            "`tomorrow` is not a date; write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`"
        );
    }

    #[test]
    fn values_out_of_range_are_named() {
        assert_eq!(read("2023-02-29", &Zone::utc()), "`2023-02-29` does not exist: the calendar has no such day");
        assert_eq!(read("2024-03-25T24:00", &Zone::utc()), "`2024-03-25T24:00` does not exist: the clock has no such time");
        assert_eq!(
            read("2024-03-25T23:59:60Z", &Zone::utc()),
            "`2024-03-25T23:59:60Z` does not exist: the clock has no such time"
        );
    }

    #[test]
    fn a_date_that_nanoseconds_do_not_hold_is_refused() {
        for text in ["0000-01-01", "0001-01-01", "1600-01-01", "1677-12-31T23:59:59Z", "2262-01-01", "2300-01-01", "9999-12-31"] {
            assert_eq!(
                read(text, &Zone::utc()),
                format!("`{text}` is out of range: years run from 1678 to 2261, because times are counted in nanoseconds")
            );
        }
        for text in ["1678-01-01T00:00:00Z", "2261-12-31T23:59:59Z"] {
            assert_eq!(read(text, &Zone::utc()), text);
        }
    }

    #[test]
    fn a_time_in_a_gap_is_refused_and_a_day_that_starts_in_one_is_not() {
        assert_eq!(
            read("2024-03-31T02:30", &zone("Europe/Berlin")),
            "`2024-03-31T02:30` does not exist in Europe/Berlin, whose clock then went from 02:00 to 03:00; \
             write `2024-03-31T03:00:00+02:00`, the first instant after it"
        );
        assert_eq!(read("2018-11-04", &zone("America/Sao_Paulo")), "2018-11-04T03:00:00Z");
        assert_eq!(read("2011-12-30", &zone("Pacific/Apia")), "2011-12-30T10:00:00Z");
        assert_eq!(
            read("2011-12-30T12:00", &zone("Pacific/Apia")),
            "`2011-12-30T12:00` does not exist in Pacific/Apia, whose clock then went from 2011-12-30T00:00 to 2011-12-31T00:00; \
             write `2011-12-31T00:00:00+14:00`, the first instant after it"
        );
    }

    #[test]
    fn a_time_in_a_fold_is_refused_and_a_day_that_starts_in_one_starts_at_the_first() {
        assert_eq!(
            read("2024-11-03T01:30", &zone("America/New_York")),
            "`2024-11-03T01:30` happened twice in America/New_York; write `2024-11-03T01:30:00-04:00` or `2024-11-03T01:30:00-05:00`"
        );
        assert_eq!(read("2024-11-03", &zone("America/Havana")), "2024-11-03T04:00:00Z");
    }

    #[test]
    fn a_day_ends_where_the_zones_clock_last_shows_it() {
        let last = |text, name| last_instant(text, &zone(name)).unwrap().to_rfc3339_opts(SecondsFormat::Secs, true);
        assert_eq!(last("2024-03-31", "Europe/Berlin"), "2024-03-31T21:59:59Z");
        assert_eq!(last("2024-10-27", "Europe/Berlin"), "2024-10-27T22:59:59Z");
        // The next day's midnight is skipped; it occurs twice within the next day; it occurs again after another hour of this
        // day.
        assert_eq!(last("2018-11-03", "America/Sao_Paulo"), "2018-11-04T02:59:59Z");
        assert_eq!(last("2024-11-02", "America/Havana"), "2024-11-03T03:59:59Z");
        assert_eq!(last("2010-11-06", "America/St_Johns"), "2010-11-07T03:29:59Z");
        assert_eq!(last("2261-12-31", "UTC"), "2261-12-31T23:59:59Z");
        assert_eq!(last("2261-12-31", "America/New_York"), "2261-12-31T05:00:00Z");
    }

    #[test]
    fn a_window_of_days_has_all_of_its_last_day() {
        let (first, last) = window(Some("2024-01-05"), Some("2024-01-05"), &Zone::utc()).unwrap();
        assert_eq!(first.unwrap().to_string(), "2024-01-05 00:00:00 UTC");
        assert_eq!(last.unwrap().to_string(), "2024-01-05 23:59:59.999999999 UTC");
        assert!(window(Some("2024-01-05T12:00"), Some("2024-01-05"), &Zone::utc()).is_ok());
        assert!(window(Some("2024-01-05T12:00"), Some("2024-01-05T11:00"), &Zone::utc()).is_err());
    }

    #[test]
    fn a_near_miss_is_told_what_to_write() {
        for text in ["2024-1-5", "2024/01/05", "2024.1.5", "05.01.2024", "20240105", "+2024-01-05"] {
            assert_eq!(parse(text).unwrap_err().reason(), "write `2024-01-05`", "{text}");
        }
        assert_eq!(parse("2024-02-30").unwrap_err().reason(), "the calendar has no such day");
    }

    #[test]
    fn a_window_names_the_bound_that_is_wrong() {
        let refused = |start, end| window(Some(start), Some(end), &Zone::utc()).unwrap_err();
        assert_eq!(refused("2024-1-5", "2024-02-01").option, "start");
        assert_eq!(refused("2024-01-05", "2024-2-1").option, "end");
        assert_eq!(refused("2024-01-05", "2024-01-04").option, "end");
    }
}
