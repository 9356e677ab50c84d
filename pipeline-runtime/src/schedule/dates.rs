//! Dates and zones as users write them on a command line or in an attribute.

use chrono::{DateTime, Utc};
use pipeline_syntax::{date, zone};

use super::DateError;
use super::error::ScheduleError;
use crate::time::Zone;

/// Reads a date as an instant: `2024-03-25`, `2024-03-25T06:00`, or `2024-03-25T06:00:00Z` with any offset.
///
/// - A date alone is the start of that day in `zone`: midnight, or the first instant of the day if the zone's clock skips
///   midnight.
/// - A time without an offset is `zone`'s wall clock. If the clock shows it twice or never, it is refused, and the error says
///   what to write.
/// - With `Z` or an offset, `zone` is ignored.
/// - Years range from 1678 to 2261: times are stored in nanoseconds, which cannot represent other years.
///
/// Seconds and their fraction may be left out; a space may replace the `T`. An attribute's `start` is read in the same way, and
/// so is its `end`, except that a date alone is the last instant of that day. For the interval that a logical date refers to, see
/// [`Schedule::interval_of`](super::Schedule::interval_of).
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
    date::instant(text, &zone)
}

/// Like [`parse_date`], but a date alone is the last instant of that day.
pub(crate) fn parse_last(text: &str, zone: Zone) -> Result<DateTime<Utc>, DateError> {
    date::last_instant(text, &zone)
}

/// Reads an IANA time zone name, such as `Europe/Berlin` or `UTC`. Case matters, as in Airflow.
pub fn parse_zone(zone: &str) -> Result<Zone, ScheduleError> {
    let unknown = || ScheduleError::Zone { zone: zone.to_owned(), hint: zone::instead_of(zone) };
    Zone::named(zone.trim()).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_year_are_kept_whole() {
        for text in ["1678-01-01T00:00:00Z", "2261-12-31T23:59:59Z"] {
            let date = parse_date(text, Zone::UTC).unwrap();
            assert_eq!(crate::Timestamp::from(date).to_utc(), date, "{text}");
        }
    }

    #[test]
    fn a_zone_of_the_runtime_reads_as_one_of_the_macros() {
        for name in ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC"] {
            let (ours, theirs) = (Zone::named(name).unwrap(), zone::parse(name).unwrap());
            for text in ["2024-03-31", "2024-10-27T02:30", "2011-12-30T12:00", "2018-11-04", "2024-03-31T02:30"] {
                assert_eq!(date::instant(text, &ours), date::instant(text, &theirs), "{text} in {name}");
            }
        }
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
