//! The data interval that a written logical date refers to.
//!
//! # Why a date alone is a day
//!
//! Airflow reads it as midnight, which a schedule of `30 2 * * *` answers with the interval that started the day before: the
//! wrong day's data, without a warning. So a date alone means the whole day, and if no interval starts on it, or more than one,
//! it is refused rather than guessed.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use pipeline_syntax::date::{self, Date};

use super::{DateError, Interval, Schedule};
use crate::time::Zone;

/// The maximum number of starts that are listed for a day with several: enough for an hourly schedule on the day when the clock
/// is set back.
const LISTED: usize = 25;

/// Why a logical date refers to no data interval, or to more than one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogicalDateError {
    /// The text is not a date.
    #[error(transparent)]
    Date(#[from] DateError),
    /// A day on which no data interval starts.
    #[error("no data interval of `{schedule}` starts on {day} in {zone}; write {}", either(.nearest))]
    NoneOnDay {
        /// The schedule as written.
        schedule: String,
        /// Its zone.
        zone: Zone,
        /// The day.
        day: NaiveDate,
        /// The last start before it and the first after it, in RFC 3339.
        nearest: Vec<String>,
    },
    /// A day on which several data intervals start.
    #[error("{} data intervals of `{schedule}` start on {day} in {zone}; write {}", starts.len(), either(starts))]
    SeveralOnDay {
        /// The schedule as written.
        schedule: String,
        /// Its zone.
        zone: Zone,
        /// The day.
        day: NaiveDate,
        /// All starts on that day, in RFC 3339.
        starts: Vec<String>,
    },
    /// The schedule has no interval there: the date is outside of the years 1678 to 2261.
    #[error("`{schedule}` has no data interval at {date}")]
    Outside {
        /// The schedule as written.
        schedule: String,
        /// The date as given.
        date: String,
    },
}

/// A list of alternatives. If there are too many, only the first three and the last.
fn either(texts: &[String]) -> String {
    let quoted = |text: &String| format!("`{text}`");
    match texts {
        [] => "another date".to_owned(),
        [only] => quoted(only),
        [first, second, third, .., last] if texts.len() > LISTED => {
            format!("{}, {}, {} … or {}", quoted(first), quoted(second), quoted(third), quoted(last))
        }
        [others @ .., last] => format!("{} or {}", others.iter().map(quoted).collect::<Vec<_>>().join(", "), quoted(last)),
    }
}

impl Schedule {
    /// The interval that a logical date refers to, as `--logical-date D` reads it.
    ///
    /// - A date alone is a day in the schedule's zone: the interval that starts on that day.
    /// - A date with a time is an instant, read as by [`parse_date`](super::parse_date): the interval that
    ///   [starts at or before it](Schedule::interval_starting_at_or_before).
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let schedule = Schedule::parse("30 2 * * *", "Europe/Berlin")?;
    /// let interval = |date| schedule.interval_of(date).map(|interval| interval.to_string());
    /// assert_eq!(interval("2024-03-25")?, "2024-03-25T01:30:00Z/2024-03-26T01:30:00Z");
    /// assert_eq!(interval("2024-03-25T00:00")?, "2024-03-24T01:30:00Z/2024-03-25T01:30:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not a date, or on its day no interval starts, or more than one:
    ///
    /// ```
    /// # use pipeline_runtime::schedule::Schedule;
    /// let twice_a_day = Schedule::parse("0 6,18 * * *", "UTC").unwrap();
    /// assert_eq!(
    ///     twice_a_day.interval_of("2024-03-25").unwrap_err().to_string(),
    ///     "2 data intervals of `0 6,18 * * *` start on 2024-03-25 in UTC; write `2024-03-25T06:00:00Z` or `2024-03-25T18:00:00Z`",
    /// );
    /// ```
    pub fn interval_of(&self, logical_date: &str) -> Result<Interval, LogicalDateError> {
        let zone = self.zone();
        let first = date::instant(logical_date, &zone)?;
        let outside = || LogicalDateError::Outside { schedule: self.text(), date: logical_date.trim().to_owned() };
        let Date::Day(day) = date::parse(logical_date)? else {
            return self.interval_starting_at_or_before(first).ok_or_else(outside);
        };
        let last = date::last_instant(logical_date, &zone)?;
        // If the clock is set back across midnight, the next day's first minutes are between two parts of the day.
        let starts: Vec<DateTime<Utc>> =
            self.ticks(first, last).filter(|tick| tick.with_timezone(&zone).date_naive() == day).collect();
        let (schedule, local) = (self.text(), |tick: &DateTime<Utc>| rfc3339(*tick, zone));
        match starts.as_slice() {
            [start] => self.interval_starting_at(*start).ok_or_else(outside),
            [] => {
                let nearest = [self.last_before(first), self.next_after(last)].iter().flatten().map(local).collect();
                Err(LogicalDateError::NoneOnDay { schedule, zone, day, nearest })
            }
            several => Err(LogicalDateError::SeveralOnDay { schedule, zone, day, starts: several.iter().map(local).collect() }),
        }
    }
}

/// The interval that a logical date refers to. Without a schedule it is the instant of the date in `zone`; for a date alone, that
/// day's midnight.
pub(crate) fn interval_of(schedule: Option<&Schedule>, zone: Zone, date: &str) -> Result<Interval, LogicalDateError> {
    match schedule {
        Some(schedule) => schedule.interval_of(date),
        None => Ok(Interval::at(date::instant(date, &zone)?)),
    }
}

fn rfc3339(at: DateTime<Utc>, zone: Zone) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cron: &str, zone: &str, date: &str) -> String {
        match Schedule::parse(cron, zone).unwrap().interval_of(date) {
            Ok(interval) => rfc3339(interval.start, Zone::named(zone).unwrap()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_date_alone_is_the_interval_that_starts_on_that_day() {
        assert_eq!(read("@daily", "UTC", "2024-03-25"), "2024-03-25T00:00:00Z");
        assert_eq!(read("30 2 * * *", "Europe/Berlin", "2024-03-25"), "2024-03-25T02:30:00+01:00");
        assert_eq!(read("59 23 * * *", "America/New_York", " 2024-03-25 "), "2024-03-25T23:59:00-04:00");
        assert_eq!(read("0 6 * * 1", "UTC", "2024-03-25"), "2024-03-25T06:00:00Z");
    }

    #[test]
    fn a_date_with_a_time_is_the_interval_that_contains_it() {
        assert_eq!(read("30 2 * * *", "Europe/Berlin", "2024-03-25T02:30"), "2024-03-25T02:30:00+01:00");
        assert_eq!(read("30 2 * * *", "Europe/Berlin", "2024-03-25T02:29"), "2024-03-24T02:30:00+01:00");
        assert_eq!(read("30 2 * * *", "Europe/Berlin", "2024-03-25T00:00:00Z"), "2024-03-24T02:30:00+01:00");
    }

    #[test]
    fn a_day_on_which_none_starts_is_refused_with_the_nearest() {
        assert_eq!(
            read("0 6 * * 1", "Europe/Berlin", "2024-03-27"),
            "no data interval of `0 6 * * 1` starts on 2024-03-27 in Europe/Berlin; write `2024-03-25T06:00:00+01:00` or \
             `2024-04-01T06:00:00+02:00`"
        );
        assert_eq!(
            read("0 6 2 1 *", "UTC", "1678-01-01"),
            "no data interval of `0 6 2 1 *` starts on 1678-01-01 in UTC; write `1678-01-02T06:00:00Z`"
        );
    }

    #[test]
    fn a_day_on_which_several_start_is_refused_with_all_of_them() {
        let hours = read("@hourly", "Europe/Berlin", "2024-10-27");
        assert!(hours.starts_with(
            "25 data intervals of `@hourly` start on 2024-10-27 in Europe/Berlin; write `2024-10-27T00:00:00+02:00`, "
        ));
        assert!(hours.contains("`2024-10-27T02:00:00+02:00`, `2024-10-27T02:00:00+01:00`, "), "{hours}");
        assert!(hours.ends_with(" or `2024-10-27T23:00:00+01:00`"), "{hours}");
        assert_eq!(
            read("* * * * *", "UTC", "2024-03-25"),
            "1440 data intervals of `* * * * *` start on 2024-03-25 in UTC; write `2024-03-25T00:00:00Z`, `2024-03-25T00:01:00Z`, \
             `2024-03-25T00:02:00Z` … or `2024-03-25T23:59:00Z`"
        );
    }

    #[test]
    fn a_day_on_which_the_clock_changes_is_a_day() {
        // 02:30 does not exist on the first day, and exists twice on the second.
        assert_eq!(read("30 2 * * *", "Europe/Berlin", "2024-03-31"), "2024-03-31T03:00:00+02:00");
        assert_eq!(read("30 2 * * *", "Europe/Berlin", "2024-10-27"), "2024-10-27T02:30:00+02:00");
        // An interval line has no tick on the first day, and two on the second.
        assert!(read("*/60 2 * * *", "Europe/Berlin", "2024-03-31").starts_with("no data interval of"));
        assert!(read("*/60 2 * * *", "Europe/Berlin", "2024-10-27").starts_with("2 data intervals of"));
        // Midnight is skipped, and exists twice.
        assert_eq!(read("@daily", "America/Sao_Paulo", "2018-11-04"), "2018-11-04T01:00:00-02:00");
        assert_eq!(read("@daily", "America/Havana", "2024-11-03"), "2024-11-03T00:00:00-04:00");
        assert_eq!(read("@daily", "America/Havana", "2024-11-02"), "2024-11-02T00:00:00-04:00");
        // A day that Samoa skipped.
        assert_eq!(
            read("@daily", "Pacific/Apia", "2011-12-30"),
            "no data interval of `@daily` starts on 2011-12-30 in Pacific/Apia; write `2011-12-29T00:00:00-10:00` or \
             `2011-12-31T00:00:00+14:00`"
        );
    }

    #[test]
    fn a_day_that_comes_back_after_midnight_has_what_starts_in_both_its_parts() {
        let LogicalDateError::SeveralOnDay { starts, .. } =
            Schedule::parse("0/30 0,23 * * *", "America/St_Johns").unwrap().interval_of("2010-11-06").unwrap_err()
        else {
            panic!("the 6th has several");
        };
        assert_eq!(
            starts,
            [
                "2010-11-06T00:00:00-02:30",
                "2010-11-06T00:30:00-02:30",
                "2010-11-06T23:00:00-02:30",
                "2010-11-06T23:30:00-02:30",
                "2010-11-06T23:30:00-03:30"
            ]
        );
    }

    #[test]
    fn the_last_interval_that_can_be_kept_has_no_end() {
        assert_eq!(read("@daily", "UTC", "2261-12-31"), "`@daily` has no data interval at 2261-12-31");
        assert_eq!(read("@daily", "UTC", "2261-12-31T12:00"), "`@daily` has no data interval at 2261-12-31T12:00");
    }

    #[test]
    fn without_a_schedule_a_date_alone_is_midnight() {
        let at = |date| interval_of(None, Zone::named("Europe/Berlin").unwrap(), date).unwrap().to_string();
        assert_eq!(at("2024-03-25"), "2024-03-24T23:00:00Z/2024-03-24T23:00:00Z");
    }
}
