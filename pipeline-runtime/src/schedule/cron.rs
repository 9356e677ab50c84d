//! A cron line in a time zone.

use std::fmt;

use croner::Cron;
use pipeline_syntax::cron::{self, CronError};

use super::dates::parse_zone;
use super::describe::describe;
use super::error::ScheduleError;
use super::times::Times;
use crate::time::Zone;

/// A cron line and the time zone whose wall clock it reads.
///
/// It holds no state and reads no clock.
///
/// ```
/// use pipeline_runtime::schedule::Schedule;
///
/// let schedule = Schedule::parse("0 6 * * *", "Europe/Berlin")?;
/// let now = "2024-03-25T10:00:00Z".parse()?;
/// assert_eq!(schedule.next_after(now), Some("2024-03-26T05:00:00Z".parse()?));
/// assert_eq!(schedule.describe(), "at 06:00 (Europe/Berlin)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    zone: Zone,
    /// Read by croner, which decides what days match; its own search is not used (see `ticks`).
    pub(super) cron: Cron,
    pub(super) times: Times,
    pub(super) fixed_time: bool,
}

impl Schedule {
    /// Reads a 5-field cron line, or one of `@yearly @annually @monthly @weekly @daily @midnight @hourly`, in an IANA time zone.
    ///
    /// The line means what croniter, and so Airflow, reads in it: `0/30` and `*/30` are the same, 0 and 7 are Sunday, a line that restricts both
    /// day fields fires on either, `L` is a month's last day, `15W` the working day nearest the 15th, `5#2` the second Friday and `L5` the last.
    ///
    /// # Errors
    ///
    /// Refused are lines that are not of this form, lines that croniter would refuse or misread, lines that never fire, and unknown zones.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let error = Schedule::parse("0 24 * * *", "UTC").unwrap_err();
    /// assert_eq!(error.to_string(), "`0 24 * * *` is not a cron schedule: hour 24 is not within 0-23");
    /// let error = Schedule::parse("@daily", "Berlin").unwrap_err();
    /// assert_eq!(error.to_string(), "`Berlin` is not a time zone; did you mean `Europe/Berlin`?");
    /// ```
    pub fn parse(cron: &str, zone: &str) -> Result<Self, ScheduleError> {
        Self::new(cron, parse_zone(zone)?)
    }

    /// As [`Schedule::parse`], in a zone that is already known.
    pub fn new(cron: &str, zone: Zone) -> Result<Self, ScheduleError> {
        let line = cron::parse(cron).map_err(|error| match error {
            CronError::Form(reason) => ScheduleError::Cron { cron: cron.to_owned(), reason },
            CronError::Never => ScheduleError::Never { cron: cron.to_owned() },
        })?;
        let times = Times::new(&line.cron.pattern.hours.values(), &line.cron.pattern.minutes.values());
        Ok(Self { text: cron.trim().to_owned(), zone, cron: line.cron, times, fixed_time: line.fixed_time })
    }

    /// The line as it was written.
    pub fn cron(&self) -> &str {
        &self.text
    }

    /// The time zone whose wall clock the line reads, by its rules as they are known now.
    pub fn zone(&self) -> Zone {
        self.zone.current()
    }

    /// The schedule in words, for people.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let words = |cron| Schedule::parse(cron, "UTC").map(|schedule| schedule.describe());
    /// assert_eq!(words("0/30 * * * *")?, "every 30 minutes (UTC)");
    /// assert_eq!(words("0 0 13 * 5")?, "at 00:00, on day 13 or Friday (UTC)");
    /// # Ok::<(), pipeline_runtime::schedule::ScheduleError>(())
    /// ```
    pub fn describe(&self) -> String {
        format!("{} ({})", describe(&self.cron, &self.times), self.zone.name())
    }
}

/// The line and its zone: `0 6 * * * Europe/Berlin`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.zone.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_fires_is_refused() {
        let cron = "0 0 31 2 *";
        assert_eq!(Schedule::parse(cron, "UTC"), Err(ScheduleError::Never { cron: cron.into() }));
    }

    #[test]
    fn it_shows_what_was_written() {
        let schedule = Schedule::parse(" @daily ", "America/New_York").unwrap();
        assert_eq!(schedule.cron(), "@daily");
        assert_eq!(schedule.to_string(), "@daily America/New_York");
    }
}
