//! A schedule: a recurrence in a time zone.

use std::fmt;
use std::sync::Arc;

use super::cron::Line;
use super::dates::parse_zone;
use super::error::ScheduleError;
use super::every::Delta;
use super::recurrence::IntoSchedule;
use super::timetable::CustomTimetable;
use crate::time::Zone;

/// When runs are due: cron lines, a recurrence or a custom calendar, and the time zone whose wall clock they read.
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
    zone: Zone,
    pub(super) rule: Rule,
}

/// The recurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    /// Cron lines, at least one. The schedule fires when any of them does.
    Lines(Arc<[Line]>),
    Every(Delta),
    Custom(CustomTimetable),
}

impl Schedule {
    /// Reads a 5-field cron line, or one of `@yearly @annually @monthly @weekly @daily @midnight @hourly`, in an IANA time zone.
    ///
    /// The line means what croniter, and therefore Airflow, reads in it: `0/30` and `*/30` are the same, 0 and 7 are Sunday, a
    /// line that restricts both day fields fires on either, `L` is a month's last day, `15W` the working day nearest the 15th,
    /// `5#2` the second Friday and `L5` the last.
    ///
    /// # Errors
    ///
    /// If the line is not of this form, if croniter would refuse or misread it, if it never fires, or if the zone is unknown.
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

    /// Like [`Schedule::parse`], in a zone that is already known.
    pub fn new(cron: &str, zone: Zone) -> Result<Self, ScheduleError> {
        Ok(Self { zone, rule: Rule::Lines([Line::parse(cron)?].into()) })
    }

    /// Makes a schedule of a value of the option `schedule`, to query it, for example in a test.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// const SPRINT: Every = every!("2w", from = "2024-01-08T09:00");
    ///
    /// let schedule = Schedule::of(SPRINT, "Europe/Berlin")?;
    /// let ticks: Vec<_> = schedule.ticks("2024-01-01T00:00:00Z".parse()?, "2024-04-05T00:00:00Z".parse()?).collect();
    /// assert_eq!(ticks.len(), 7);
    /// // Nine in the morning, also in summer.
    /// assert_eq!(ticks[6].to_string(), "2024-04-01 07:00:00 UTC");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the zone is unknown, or `from` is a time that the zone's clock shows twice or never.
    pub fn of(schedule: impl IntoSchedule, zone: &str) -> Result<Self, ScheduleError> {
        schedule.recurrence().schedule(zone)
    }

    pub(super) fn lines(lines: impl Iterator<Item = Result<Line, ScheduleError>>, zone: Zone) -> Result<Self, ScheduleError> {
        let lines: Arc<[Line]> = lines.collect::<Result<_, _>>()?;
        if lines.is_empty() {
            return Err(ScheduleError::Cron {
                cron: String::new(),
                reason: "there is no line: write one such as `0 6 * * *`".into(),
            });
        }
        Ok(Self { zone, rule: Rule::Lines(lines) })
    }

    pub(super) fn every(delta: Delta, zone: Zone) -> Self {
        Self { zone, rule: Rule::Every(delta) }
    }

    pub(super) fn custom(own: CustomTimetable, zone: Zone) -> Self {
        Self { zone, rule: Rule::Custom(own) }
    }

    /// The schedule as it was written: `0 6 * * *`, `0 6 * * 1-5, 0 10 * * 6`, `every 4w from 2023-05-16`, or the description of
    /// a custom calendar.
    pub fn text(&self) -> String {
        match &self.rule {
            Rule::Lines(lines) => lines.iter().map(Line::text).collect::<Vec<_>>().join(", "),
            Rule::Every(delta) => delta.text().to_owned(),
            Rule::Custom(own) => own.describe(),
        }
    }

    /// The cron line, if the schedule is a single one.
    pub fn cron(&self) -> Option<&str> {
        match &self.rule {
            Rule::Lines(lines) if lines.len() == 1 => lines.first().map(Line::text),
            _ => None,
        }
    }

    /// The time zone whose wall clock it reads, with the rules as they are known now.
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
        let words = match &self.rule {
            Rule::Lines(lines) => lines.iter().map(Line::describe).collect::<Vec<_>>().join("; "),
            Rule::Every(delta) => delta.text().to_owned(),
            Rule::Custom(own) => own.describe(),
        };
        format!("{words} ({})", self.zone.name())
    }

    /// Returns why a custom calendar's intervals cannot be those of a schedule, by probing a few.
    pub(crate) fn fault(&self, from: chrono::DateTime<chrono::Utc>) -> Option<String> {
        match &self.rule {
            Rule::Custom(own) => own.fault(from, self.zone()),
            Rule::Lines(_) | Rule::Every(_) => None,
        }
    }
}

/// The schedule as it was written, and its zone: `0 6 * * * Europe/Berlin`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text(), self.zone.name())
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
        assert_eq!(schedule.cron(), Some("@daily"));
        assert_eq!(schedule.to_string(), "@daily America/New_York");
    }
}
