//! The intervals that the scheduler must run: `start`, `end` and `catchup`.

use chrono::{DateTime, Utc};

use pipeline_syntax::date::{self, WindowError};

use super::{DateError, Interval, Intervals, Schedule};
use crate::time::Zone;

/// The part of a schedule's time in which a pipeline runs, and whether it runs intervals that it missed.
///
/// Both bounds apply to an interval's *start*, its logical date, and are inclusive, like Airflow's `start_date` and `end_date`.
/// The default has no bounds and no catchup.
///
/// ```
/// use pipeline_runtime::schedule::{Schedule, Window};
///
/// let schedule = Schedule::parse("@daily", "UTC")?;
/// let window = Window::parse(Some("2024-01-01"), None, true, schedule.zone())?;
/// let now = "2024-01-04T10:00:00Z".parse()?;
/// assert_eq!(window.due(&schedule, None, now).count(), 3);
/// assert_eq!(window.next_due(&schedule, None, now), Some("2024-01-05T00:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// No interval that starts earlier is due.
    pub start: Option<DateTime<Utc>>,
    /// No interval that starts later is due.
    pub end: Option<DateTime<Utc>>,
    /// Whether every missed interval is due, or only the latest.
    pub catchup: bool,
}

impl Window {
    /// Reads the bounds like [`parse_date`](super::parse_date), in `zone`, which is the schedule's. A date alone is a whole day:
    /// a start is its first instant, an end its last.
    ///
    /// # Errors
    ///
    /// If [`parse_date`](super::parse_date) refuses a bound, or the end is before the start.
    pub fn parse(start: Option<&str>, end: Option<&str>, catchup: bool, zone: Zone) -> Result<Self, DateError> {
        Self::read(start, end, catchup, zone).map_err(|refused| *refused.error)
    }

    /// Like [`Window::parse`], with an error that names the wrong bound.
    pub(crate) fn read(start: Option<&str>, end: Option<&str>, catchup: bool, zone: Zone) -> Result<Self, WindowError> {
        let (start, end) = date::window(start, end, &zone)?;
        Ok(Self { start, end, catchup })
    }

    /// The intervals that should run at `now`, oldest first, given the last one that was scheduled.
    ///
    /// An interval is due once it is over: at its end, not at its start. With `catchup`, all intervals since `last` are due (all
    /// since `start` if none was scheduled yet). Without it, only the latest that is over is due, and none if that one is outside
    /// of the bounds. With neither `last` nor `start` there is no first interval to catch up from, so that only the latest is
    /// due.
    ///
    /// `last` bounds the following intervals even if the schedule has changed since. No interval is due whose logical date is not
    /// later than that of `last`. The first interval starts at the new schedule's last tick at or before the end of `last`, so
    /// that no time is left out if possible.
    pub fn due<'a>(&self, schedule: &'a Schedule, last: Option<Interval>, now: DateTime<Utc>) -> Intervals<'a> {
        let latest = schedule.last_complete(now).map(|interval| interval.start);
        let first = self.first_start(schedule, last);
        let next = match first {
            Some(first) if self.catchup => Some(first),
            _ => latest.filter(|latest| first.is_none_or(|first| *latest >= first)),
        };
        Intervals { schedule, next, last_start: self.end, complete_by: Some(now) }
    }

    /// When a further interval becomes due: the first instant after `now` at which [`Window::due`] grows or changes. `None` if
    /// that never happens.
    ///
    /// Intervals that are already due do not count, so that a caller who has handled them can sleep until then.
    pub fn next_due(&self, schedule: &Schedule, last: Option<Interval>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A custom calendar may have ended, whatever the first start is.
        let next = schedule.current_or_next(now)?;
        let start = self.first_start(schedule, last).map_or(next, |first| first.max(next));
        let interval = schedule.interval_starting_at(start)?;
        self.end.is_none_or(|end| interval.start <= end).then_some(interval.end)
    }

    /// True if an interval is within the bounds.
    #[cfg(feature = "sqlite")]
    pub(crate) fn covers(&self, interval: Interval) -> bool {
        self.start.is_none_or(|start| interval.start >= start) && self.end.is_none_or(|end| interval.start <= end)
    }

    /// The earliest start that the lower bound and `last` allow, a tick. `None` if neither is given.
    fn first_start(&self, schedule: &Schedule, last: Option<Interval>) -> Option<DateTime<Utc>> {
        let from_bound = self.start.and_then(|start| schedule.next_at_or_after(start));
        let from_last = last.and_then(|last| {
            let resumed = schedule.last_at_or_before(last.end).filter(|tick| *tick > last.start);
            resumed.or_else(|| schedule.next_after(last.start))
        });
        from_bound.max(from_last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(cron: &str) -> Schedule {
        Schedule::parse(cron, "UTC").unwrap()
    }

    /// The days of January 2024 on which due intervals start, at midnight.
    fn due_days(window: Window, last: Option<Interval>, now: &str) -> Vec<String> {
        window.due(&schedule("@daily"), last, utc(now)).map(|interval| interval.start.format("%d").to_string()).collect()
    }

    fn day(day: u32) -> Interval {
        let start = utc("2024-01-01T00:00:00Z") + chrono::TimeDelta::days(i64::from(day) - 1);
        Interval { start, end: start + chrono::TimeDelta::days(1) }
    }

    fn window(start: Option<&str>, end: Option<&str>, catchup: bool) -> Window {
        Window::parse(start, end, catchup, Zone::UTC).unwrap()
    }

    #[test]
    fn after_a_stop_of_three_days_catchup_runs_all_and_else_the_latest() {
        // It ran the 5th's interval at midnight, stopped on the 6th and came back on the 9th at noon.
        let now = "2024-01-09T12:00:00Z";
        assert_eq!(due_days(window(None, None, true), Some(day(5)), now), ["06", "07", "08"]);
        assert_eq!(due_days(window(None, None, false), Some(day(5)), now), ["08"]);
    }

    #[test]
    fn a_calendar_that_has_ended_has_no_further_run() {
        struct Once;
        impl Once {
            fn all() -> Interval {
                Interval { start: utc("2024-01-01T00:00:00Z"), end: utc("2024-02-01T00:00:00Z") }
            }
        }
        impl crate::schedule::Timetable for Once {
            fn next_after(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
                Some(Self::all()).filter(|interval| interval.start > t)
            }
            fn last_at_or_before(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
                Some(Self::all()).filter(|interval| interval.start <= t)
            }
            fn describe(&self) -> String {
                "once".into()
            }
        }
        let schedule = Schedule::of(Once, "UTC").unwrap();
        let next = |now: &str, last| window(Some("2023-01-01"), None, false).next_due(&schedule, last, utc(now));
        assert_eq!(next("2023-06-01T00:00:00Z", None), Some(Once::all().end));
        assert_eq!(next("2024-01-15T00:00:00Z", None), Some(Once::all().end));
        assert_eq!(next("2024-03-01T00:00:00Z", None), None);
        assert_eq!(next("2024-03-01T00:00:00Z", Some(Once::all())), None);
    }

    #[test]
    fn what_ran_is_not_due_again() {
        for catchup in [true, false] {
            assert_eq!(due_days(window(None, None, catchup), Some(day(8)), "2024-01-09T12:00:00Z"), [""; 0]);
            assert_eq!(due_days(window(None, None, catchup), Some(day(8)), "2024-01-10T00:00:00Z"), ["09"]);
            assert_eq!(due_days(window(None, None, catchup), Some(day(8)), "2024-01-09T23:59:59.999Z"), [""; 0]);
        }
    }

    #[test]
    fn the_first_time_catchup_begins_at_the_start() {
        let now = "2024-01-09T12:00:00Z";
        assert_eq!(due_days(window(Some("2024-01-07"), None, true), None, now), ["07", "08"]);
        assert_eq!(due_days(window(Some("2024-01-06T00:01"), None, true), None, now), ["07", "08"]);
        assert_eq!(due_days(window(Some("2024-01-07"), None, false), None, now), ["08"]);
        assert_eq!(due_days(window(None, None, true), None, now), ["08"]);
        assert_eq!(due_days(window(None, None, false), None, now), ["08"]);
    }

    #[test]
    fn nothing_is_due_before_the_first_interval_after_the_start_is_over() {
        for catchup in [true, false] {
            let window = window(Some("2024-01-08T12:00"), None, catchup);
            assert_eq!(due_days(window, None, "2024-01-09T12:00:00Z"), [""; 0]);
            assert_eq!(due_days(window, None, "2024-01-10T00:00:00Z"), ["09"]);
            assert_eq!(
                window.next_due(&schedule("@daily"), None, utc("2024-01-01T00:00:00Z")),
                Some(utc("2024-01-10T00:00:00Z"))
            );
        }
    }

    #[test]
    fn the_end_is_inclusive_and_bounds_starts() {
        let now = "2024-01-20T12:00:00Z";
        // A date alone is the whole day, even if its interval starts at noon.
        let noon = schedule("0 12 * * *");
        let bounds = window(Some("2024-01-06"), Some("2024-01-08"), true);
        let days: Vec<_> = bounds.due(&noon, None, utc(now)).map(|interval| interval.start.format("%dT%H").to_string()).collect();
        assert_eq!(days, ["06T12", "07T12", "08T12"]);
        assert_eq!(due_days(window(None, Some("2024-01-08"), true), Some(day(5)), now), ["06", "07", "08"]);
        assert_eq!(due_days(window(None, Some("2024-01-07T23:59"), true), Some(day(5)), now), ["06", "07"]);
        // The latest interval is past the end; an older one is not the latest.
        assert_eq!(due_days(window(None, Some("2024-01-08"), false), Some(day(5)), now), [""; 0]);
        assert_eq!(due_days(window(None, Some("2024-01-08"), false), Some(day(5)), "2024-01-09T00:00:00Z"), ["08"]);
    }

    #[test]
    fn the_next_wake_up_is_the_end_of_an_interval_not_yet_due() {
        let daily = schedule("@daily");
        let next = |window: Window, last, now| window.next_due(&daily, last, utc(now)).map(|at| at.format("%dT%H").to_string());
        let open = window(None, None, false);
        assert_eq!(next(open, None, "2024-01-09T12:00:00Z").as_deref(), Some("10T00"));
        assert_eq!(next(open, Some(day(8)), "2024-01-09T00:00:00Z").as_deref(), Some("10T00"));
        assert_eq!(next(open, Some(day(5)), "2024-01-09T12:00:00Z").as_deref(), Some("10T00"));
        // Scheduled ahead of the clock, which was set back since.
        assert_eq!(next(open, Some(day(12)), "2024-01-09T12:00:00Z").as_deref(), Some("14T00"));
        let ends = window(None, Some("2024-01-09"), true);
        assert_eq!(next(ends, None, "2024-01-09T12:00:00Z").as_deref(), Some("10T00"));
        assert_eq!(next(ends, None, "2024-01-10T00:00:00Z"), None);
    }

    #[test]
    fn a_changed_schedule_goes_on_where_the_old_one_ended() {
        let now = utc("2024-01-06T03:30:00Z");
        let open = window(None, None, true);
        let hourly = |last| {
            open.due(&schedule("@hourly"), Some(last), now).map(|i| i.start.format("%dT%H").to_string()).collect::<Vec<_>>()
        };
        assert_eq!(hourly(day(5)), ["06T00", "06T01", "06T02"]);
        // From hourly to daily, the day of the last hour is caught up: its logical date is later.
        let hour = |start: &str| Interval { start: utc(start), end: utc(start) + chrono::TimeDelta::hours(1) };
        assert_eq!(due_days(open, Some(hour("2024-01-04T23:00:00Z")), "2024-01-06T03:30:00Z"), ["05"]);
        // The day whose logical date was taken by its own first hour is not.
        assert_eq!(due_days(open, Some(hour("2024-01-05T00:00:00Z")), "2024-01-07T03:30:00Z"), ["06"]);
    }

    #[test]
    fn a_manual_run_without_width_counts_as_its_instant() {
        assert_eq!(
            due_days(window(None, None, true), Some(Interval::at(utc("2024-01-06T12:00:00Z"))), "2024-01-09T12:00:00Z"),
            ["07", "08"]
        );
    }

    #[test]
    fn a_million_missed_intervals_cost_what_is_taken_of_them() {
        let minutely = schedule("* * * * *");
        let window = window(Some("2020-01-01"), None, true);
        let first: Vec<_> = window.due(&minutely, None, utc("2024-01-01T00:00:00Z")).take(2).collect();
        assert_eq!(first[1].to_string(), "2020-01-01T00:01:00Z/2020-01-01T00:02:00Z");
    }

    #[test]
    fn bounds_are_dates_of_the_schedules_zone() {
        let window =
            Window::parse(Some("2024-01-01"), Some("2024-07-01T06:00:00Z"), false, Zone::named("Europe/Berlin").unwrap())
                .unwrap();
        assert_eq!(window.start, Some(utc("2023-12-31T23:00:00Z")));
        assert_eq!(window.end, Some(utc("2024-07-01T06:00:00Z")));
        assert_eq!(
            Window::parse(Some("2024-01-02"), Some("2024-01-01"), false, Zone::UTC).unwrap_err().to_string(),
            "the end, `2024-01-01`, is before the start, `2024-01-02`"
        );
    }
}
