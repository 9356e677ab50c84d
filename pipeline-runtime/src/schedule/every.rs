//! A recurrence at a fixed distance, counted from a start.
//!
//! # When the clock changes
//!
//! Days and weeks are those of the local calendar: `every = "1d", from = "2024-03-01T09:00"` is nine in the morning on every day,
//! so that two ticks are 23 or 25 hours apart if the clock changes between them. As for a fixed-time cron line, a time that the
//! clock skips becomes the first instant after the gap, and the first of two counts if the clock shows it twice. Hours and
//! shorter units are elapsed time: `every = "24h"` is an hour later by the wall clock in summer.

use chrono::{DateTime, Datelike, Days, NaiveDateTime, TimeDelta, Utc};
use pipeline_syntax::date::{self, Date, FIRST_YEAR, LAST_YEAR};
use pipeline_syntax::every::{self, Every};
use pipeline_syntax::zone::Wall;

use super::error::ScheduleError;
use crate::time::Zone;

/// Ticks at the start and after each distance from it; there are none before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delta {
    text: String,
    step: Step,
    from: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Multiples of this number of days after that wall clock time.
    Days(u32, NaiveDateTime),
    Seconds(i64),
}

impl Delta {
    pub(super) fn parse(every: &str, from: &str, zone: Zone) -> Result<Self, ScheduleError> {
        let text = format!("every {} from {}", every.trim(), from.trim());
        let refused = |of: &str, reason: String| ScheduleError::Every { every: of.to_owned(), reason };
        let begins = date::instant(from, &zone).map_err(|error| refused(from, error.to_string()))?;
        let step = match every::parse(every).map_err(|reason| refused(every, reason))? {
            Every::Days(days) => {
                let wall = match date::parse(from).map_err(|error| refused(from, error.to_string()))? {
                    // Midnight, even if the first of these days starts later.
                    Date::Day(day) => day.and_hms_opt(0, 0, 0).unwrap_or_default(),
                    Date::Local(wall) => wall,
                    Date::Instant(at) => at.with_timezone(&zone).naive_local(),
                };
                Step::Days(days.max(1), wall)
            }
            Every::Span(span) => Step::Seconds(i64::try_from(span.as_secs()).unwrap_or(i64::MAX).max(1)),
        };
        Ok(Self { text, step, from: begins })
    }

    /// `every 4w from 2023-05-16`
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The step as elapsed time. Days are that only in UTC.
    #[cfg(feature = "airflow")]
    pub(super) fn seconds(&self, zone: Zone) -> Option<i64> {
        match self.step {
            Step::Seconds(seconds) => Some(seconds),
            Step::Days(days, _) => (zone == Zone::UTC).then(|| i64::from(days) * 86_400),
        }
    }

    #[cfg(feature = "airflow")]
    pub(super) fn from(&self) -> DateTime<Utc> {
        self.from
    }

    pub(super) fn next_after(&self, zone: Zone, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if t < self.from {
            return in_range(self.from);
        }
        let k = self.passed(zone, t);
        (k.saturating_sub(1)..=k + 2).filter_map(|k| self.tick(zone, k)).find(|tick| *tick > t)
    }

    pub(super) fn last_at_or_before(&self, zone: Zone, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if t < self.from {
            return None;
        }
        let k = self.passed(zone, t);
        (k.saturating_sub(1)..=k + 1).rev().filter_map(|k| self.tick(zone, k)).find(|tick| *tick <= t)
    }

    /// The number of distances since the start, or one more or less because of clock changes.
    fn passed(&self, zone: Zone, t: DateTime<Utc>) -> u64 {
        let passed = match self.step {
            Step::Days(days, wall) => (t.with_timezone(&zone).date_naive() - wall.date()).num_days() / i64::from(days),
            Step::Seconds(seconds) => (t - self.from).num_seconds() / seconds,
        };
        u64::try_from(passed).unwrap_or(0)
    }

    /// The k-th tick.
    fn tick(&self, zone: Zone, k: u64) -> Option<DateTime<Utc>> {
        if k == 0 {
            return in_range(self.from);
        }
        in_range(match self.step {
            Step::Days(days, wall) => Wall::at(&zone, wall.checked_add_days(Days::new(k.checked_mul(u64::from(days))?))?).first(),
            Step::Seconds(seconds) => {
                let passed = TimeDelta::try_seconds(i64::try_from(k).ok()?.checked_mul(seconds)?)?;
                self.from.checked_add_signed(passed)?
            }
        })
    }
}

/// The tick, if it is within the years that can be stored.
fn in_range(tick: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (FIRST_YEAR..=LAST_YEAR).contains(&tick.year()).then_some(tick)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Schedule;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(every: &str, from: &str, zone: &str) -> Schedule {
        let zone = Zone::named(zone).unwrap();
        Schedule::every(Delta::parse(every, from, zone).unwrap(), zone)
    }

    fn local(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
        let zone = schedule.zone();
        schedule.ticks(utc(from), utc(to)).map(|tick| tick.with_timezone(&zone).to_rfc3339()).collect()
    }

    #[test]
    fn days_keep_the_time_of_the_clock_and_hours_keep_time() {
        let (from, to) = ("2024-03-29T00:00:00Z", "2024-04-01T12:00:00Z");
        let begins = "2024-03-28T09:00";
        assert_eq!(
            local(&schedule("1d", begins, "Europe/Berlin"), from, to),
            ["2024-03-29T09:00:00+01:00", "2024-03-30T09:00:00+01:00", "2024-03-31T09:00:00+02:00", "2024-04-01T09:00:00+02:00"]
        );
        assert_eq!(
            local(&schedule("24h", begins, "Europe/Berlin"), from, to),
            ["2024-03-29T09:00:00+01:00", "2024-03-30T09:00:00+01:00", "2024-03-31T10:00:00+02:00", "2024-04-01T10:00:00+02:00"]
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_end_of_the_gap_and_of_two_the_first_counts() {
        let daily = schedule("1d", "2024-03-01T02:30", "Europe/Berlin");
        assert_eq!(local(&daily, "2024-03-30T23:30:00Z", "2024-03-31T23:00:00Z"), ["2024-03-31T03:00:00+02:00"]);
        assert_eq!(local(&daily, "2024-10-26T23:00:00Z", "2024-10-27T22:00:00Z"), ["2024-10-27T02:30:00+02:00"]);
        // It starts on a day without a midnight, and continues at midnight.
        let brazil = schedule("1d", "2018-11-04", "America/Sao_Paulo");
        assert_eq!(
            local(&brazil, "2018-11-01T00:00:00Z", "2018-11-05T12:00:00Z"),
            ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
        );
    }

    #[test]
    fn weeks_count_from_the_beginning_and_nothing_is_before_it() {
        let weeks = schedule("4w", "2023-05-16", "UTC");
        assert_eq!(weeks.last_at_or_before(utc("2023-05-15T23:59:59Z")), None);
        assert_eq!(weeks.next_after(utc("2020-01-01T00:00:00Z")), Some(utc("2023-05-16T00:00:00Z")));
        let interval = weeks.interval_starting_at_or_before(utc("2024-03-25T10:00:00Z")).unwrap();
        assert_eq!(interval.to_string(), "2024-03-19T00:00:00Z/2024-04-16T00:00:00Z");
        assert_eq!((interval.start - utc("2023-05-16T00:00:00Z")).num_days() % 28, 0);
        assert_eq!(weeks.last_complete(utc("2023-06-12T23:59:59Z")), None);
        assert!(weeks.last_complete(utc("2023-06-13T00:00:00Z")).is_some());
    }

    #[test]
    fn each_search_inverts_the_other_across_changes_of_clock() {
        for zone in ["Europe/Berlin", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "UTC"] {
            for every in ["1d", "3d", "1w", "5h", "90m", "24h"] {
                for from in ["2011-01-01", "2011-01-01T00:15", "2011-01-01T23:50:10Z"] {
                    let schedule = schedule(every, from, zone);
                    let mut tick = schedule.next_after(utc("2010-01-01T00:00:00Z")).unwrap();
                    for _ in 0..500 {
                        let next = schedule.next_after(tick).unwrap();
                        assert!(next > tick, "{every} {from} {zone}: {tick} {next}");
                        assert_eq!(schedule.last_at_or_before(next), Some(next), "{every} {from} {zone}");
                        assert_eq!(
                            schedule.last_at_or_before(next - TimeDelta::nanoseconds(1)),
                            Some(tick),
                            "{every} {from} {zone}"
                        );
                        assert_eq!(schedule.next_after(next - TimeDelta::nanoseconds(1)), Some(next), "{every} {from} {zone}");
                        tick = next;
                    }
                }
            }
        }
    }

    #[test]
    fn the_last_year_ends_it() {
        let weeks = schedule("1w", "2261-12-20", "UTC");
        assert_eq!(weeks.next_after(utc("2261-12-27T00:00:00Z")), None);
    }
}
