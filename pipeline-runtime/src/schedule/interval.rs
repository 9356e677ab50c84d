//! The data intervals between a schedule's ticks.

use std::fmt;
use std::iter::FusedIterator;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::Schedule;
use super::schedule::Rule;

/// The span of time whose data one run processes: from `start`, inclusive, to `end`, exclusive.
///
/// Its start is the run's logical date. With a schedule both are ticks and the run is due at `end`; without one they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Interval {
    /// The first instant of the interval: `data_interval_start`, and the run's logical date.
    pub start: DateTime<Utc>,
    /// The first instant after the interval: `data_interval_end`, when its run becomes due.
    pub end: DateTime<Utc>,
}

impl Interval {
    /// From `start`, inclusive, to `end`, exclusive.
    pub const fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        Self { start, end }
    }

    /// The interval of a run without a schedule: it starts and ends at the logical date.
    pub fn at(logical_date: DateTime<Utc>) -> Self {
        Self { start: logical_date, end: logical_date }
    }

    /// The smallest interval that contains both.
    pub(crate) fn spanning(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// True if `at` is in the interval.
    #[cfg(feature = "sqlite")]
    pub(crate) fn contains(&self, at: DateTime<Utc>) -> bool {
        (self.start..self.end).contains(&at)
    }

    /// The run's logical date, which is the interval's start.
    pub fn logical_date(&self) -> DateTime<Utc> {
        self.start
    }
}

/// Both ends in RFC 3339: `2024-03-25T06:00:00Z/2024-03-26T06:00:00Z`, as ISO 8601 writes an interval.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |t: DateTime<Utc>| t.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        write!(f, "{}/{}", text(self.start), text(self.end))
    }
}

/// These methods return `None` only where the schedule starts or ends, at the latest at the ends of the years 1678 to 2261, or
/// where a method says so.
impl Schedule {
    /// The interval that starts at the last tick at or before `d`: what `--logical-date D` means if `D` has a time of day.
    ///
    /// It contains `d`, unless `d` is between two intervals of a custom calendar. Its end may be in the future. A date alone is a
    /// day, for which [`Schedule::interval_of`] finds the interval.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let schedule = Schedule::parse("0 6 * * *", "UTC")?;
    /// let interval = schedule.interval_starting_at_or_before("2024-03-25T07:30:00Z".parse()?);
    /// assert_eq!(interval.map(|i| i.to_string()), Some("2024-03-25T06:00:00Z/2024-03-26T06:00:00Z".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interval_starting_at_or_before(&self, d: DateTime<Utc>) -> Option<Interval> {
        self.interval_starting_at(self.last_at_or_before(d)?)
    }

    /// The interval that the tick `tick` closes; `None` if `tick` is not a tick.
    pub fn interval_ending_at(&self, tick: DateTime<Utc>) -> Option<Interval> {
        if let Rule::Custom(_) = self.rule {
            return self.last_complete(tick).filter(|interval| interval.end == tick);
        }
        let end = self.last_at_or_before(tick).filter(|last| *last == tick)?;
        Some(Interval { start: self.last_before(end)?, end })
    }

    /// The last interval that is over at `now`, its end being at or before `now`: the one that a bare `run` takes.
    pub fn last_complete(&self, now: DateTime<Utc>) -> Option<Interval> {
        if let Rule::Custom(own) = &self.rule {
            let zone = self.zone();
            let last = own.last_at_or_before(now, zone)?;
            if last.end <= now {
                return Some(last);
            }
            return own
                .last_at_or_before(last.start.checked_sub_signed(TimeDelta::nanoseconds(1))?, zone)
                .filter(|last| last.end <= now);
        }
        self.interval_ending_at(self.last_at_or_before(now)?)
    }

    /// The intervals of a backfill: those whose logical date, which is their *start*, is between `from` and `to`, both inclusive.
    ///
    /// Airflow's `backfill create --from-date --to-date` selects the same ones. Intervals that end in the future are included: a
    /// caller who knows the time leaves them out with `take_while`.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let schedule = Schedule::parse("@daily", "UTC")?;
    /// let days = schedule.intervals("2024-02-28T00:00:00Z".parse()?, "2024-03-01T00:00:00Z".parse()?);
    /// assert_eq!(days.count(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn intervals(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Intervals<'_> {
        Intervals { schedule: self, next: self.next_at_or_after(from), last_start: Some(to), complete_by: None }
    }

    /// The first interval that starts at or after `t`.
    pub(crate) fn interval_starting_at_or_after(&self, t: DateTime<Utc>) -> Option<Interval> {
        self.interval_starting_at(self.next_at_or_after(t)?)
    }

    /// The interval that starts at `tick`, which must be a tick.
    pub(super) fn interval_starting_at(&self, tick: DateTime<Utc>) -> Option<Interval> {
        match &self.rule {
            Rule::Custom(own) => own.last_at_or_before(tick, self.zone()).filter(|interval| interval.start == tick),
            Rule::Lines(_) | Rule::Every(_) => Some(Interval { start: tick, end: self.next_after(tick)? }),
        }
    }

    /// The start of the interval after this one.
    fn start_after(&self, interval: &Interval) -> Option<DateTime<Utc>> {
        match &self.rule {
            Rule::Custom(_) => self.next_after(interval.start),
            Rule::Lines(_) | Rule::Every(_) => Some(interval.end),
        }
    }

    /// The start of the interval that contains `now`, or of the next one.
    pub(super) fn current_or_next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let current = self.last_at_or_before(now).and_then(|start| self.interval_starting_at(start));
        current.filter(|interval| interval.end > now).map(|interval| interval.start).or_else(|| self.next_after(now))
    }
}

/// Successive intervals, oldest first; see [`Schedule::intervals`] and [`Window::due`](super::Window::due).
///
/// Each is computed on demand, so a decade of minutes costs nothing until it is iterated.
#[derive(Debug, Clone)]
pub struct Intervals<'a> {
    pub(super) schedule: &'a Schedule,
    /// The start of the next interval, which is a tick.
    pub(super) next: Option<DateTime<Utc>>,
    /// Intervals that start later are left out.
    pub(super) last_start: Option<DateTime<Utc>>,
    /// Intervals that end later are left out.
    pub(super) complete_by: Option<DateTime<Utc>>,
}

impl Iterator for Intervals<'_> {
    type Item = Interval;

    fn next(&mut self) -> Option<Interval> {
        let interval = self
            .next
            .and_then(|start| self.schedule.interval_starting_at(start))
            .filter(|interval| self.last_start.is_none_or(|last| interval.start <= last))
            .filter(|interval| self.complete_by.is_none_or(|now| interval.end <= now));
        self.next = interval.and_then(|interval| self.schedule.start_after(&interval));
        interval
    }
}

impl FusedIterator for Intervals<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn interval(start: &str, end: &str) -> Interval {
        Interval { start: utc(start), end: utc(end) }
    }

    fn daily_at_six() -> Schedule {
        Schedule::parse("0 6 * * *", "UTC").unwrap()
    }

    #[test]
    fn a_logical_date_names_the_interval_that_contains_it() {
        let expected = Some(interval("2024-03-25T06:00:00Z", "2024-03-26T06:00:00Z"));
        for date in ["2024-03-25T06:00:00Z", "2024-03-25T06:00:01Z", "2024-03-26T05:59:59.999Z"] {
            assert_eq!(daily_at_six().interval_starting_at_or_before(utc(date)), expected, "{date}");
        }
    }

    #[test]
    fn an_interval_is_complete_at_its_end() {
        let schedule = daily_at_six();
        assert_eq!(
            schedule.last_complete(utc("2024-03-26T06:00:00Z")),
            Some(interval("2024-03-25T06:00:00Z", "2024-03-26T06:00:00Z"))
        );
        assert_eq!(
            schedule.last_complete(utc("2024-03-26T05:59:59.999Z")),
            Some(interval("2024-03-24T06:00:00Z", "2024-03-25T06:00:00Z"))
        );
    }

    #[test]
    fn only_a_tick_closes_an_interval() {
        let schedule = daily_at_six();
        assert_eq!(
            schedule.interval_ending_at(utc("2024-03-26T06:00:00Z")),
            Some(interval("2024-03-25T06:00:00Z", "2024-03-26T06:00:00Z"))
        );
        assert_eq!(schedule.interval_ending_at(utc("2024-03-26T06:00:00.001Z")), None);
        assert_eq!(schedule.interval_ending_at(utc("2024-03-26T07:00:00Z")), None);
    }

    #[test]
    fn a_backfill_includes_both_its_dates() {
        let schedule = daily_at_six();
        let starts = |from, to| schedule.intervals(utc(from), utc(to)).map(|i| i.start.to_rfc3339()).collect::<Vec<_>>();
        assert_eq!(
            starts("2024-01-01T06:00:00Z", "2024-01-03T06:00:00Z"),
            ["2024-01-01T06:00:00+00:00", "2024-01-02T06:00:00+00:00", "2024-01-03T06:00:00+00:00"]
        );
        assert_eq!(starts("2024-01-01T06:00:00.001Z", "2024-01-03T05:59:59Z"), ["2024-01-02T06:00:00+00:00"]);
        assert_eq!(starts("2024-01-03T06:00:00Z", "2024-01-01T06:00:00Z"), [""; 0]);
    }

    #[test]
    fn intervals_change_their_length_with_the_clock_and_leave_no_hole() {
        let schedule = Schedule::parse("0 0 * * *", "Europe/Berlin").unwrap();
        let hours = |from: &str, to: &str| {
            let intervals: Vec<_> = schedule.intervals(utc(from), utc(to)).collect();
            assert!(intervals.windows(2).all(|pair| pair[0].end == pair[1].start));
            intervals.iter().map(|i| (i.end - i.start).num_hours()).collect::<Vec<_>>()
        };
        assert_eq!(hours("2024-03-29T23:00:00Z", "2024-03-31T22:00:00Z"), [24, 23, 24]);
        assert_eq!(hours("2024-10-25T22:00:00Z", "2024-10-27T23:00:00Z"), [24, 25, 24]);
    }

    #[test]
    fn time_has_ends() {
        let schedule = daily_at_six();
        assert_eq!(schedule.last_complete(DateTime::<Utc>::MIN_UTC), None);
        assert_eq!(schedule.interval_starting_at_or_before(DateTime::<Utc>::MAX_UTC), None);
        assert_eq!(schedule.next_after(DateTime::<Utc>::MAX_UTC), None);
        assert_eq!(schedule.next_after(DateTime::<Utc>::MIN_UTC), Some(utc("1678-01-01T06:00:00Z")));
        assert_eq!(schedule.last_at_or_before(DateTime::<Utc>::MAX_UTC), Some(utc("2261-12-31T06:00:00Z")));
        assert_eq!(schedule.intervals(utc("2261-12-30T06:00:00Z"), DateTime::<Utc>::MAX_UTC).count(), 1);
    }

    #[test]
    fn without_a_schedule_an_interval_is_an_instant() {
        let at = Interval::at(utc("2024-03-25T06:00:00Z"));
        assert_eq!((at.start, at.end, at.logical_date()), (at.end, at.start, utc("2024-03-25T06:00:00Z")));
    }
}
