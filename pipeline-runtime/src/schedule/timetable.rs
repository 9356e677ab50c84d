//! Custom calendars.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use pipeline_syntax::date::{FIRST_YEAR, LAST_YEAR};

use super::Interval;
use crate::time::Zone;

/// A custom calendar, for what a cron line cannot express: trading days, the phases of a season, a list of dates. Airflow's
/// `Timetable`.
///
/// It defines the data intervals; a run is due at its interval's end. It must be a pure function of its arguments: it reads no
/// clock and no file, and always gives the same answer. It is called often, by the scheduler, `backfill`, `list` and simulations.
///
/// Intervals must have a positive length, be in order, and not overlap. They need not touch: the time between two has no run.
/// `check` probes a few intervals, and reports where they break these rules.
///
/// ```
/// use pipeline_runtime::chrono::{DateTime, Utc};
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::schedule::{Interval, Schedule, Timetable, Zone};
///
/// /// The terms of a school year.
/// struct Terms;
///
/// const TERMS: [(&str, &str); 2] = [
///     ("2024-08-12T00:00:00Z", "2024-12-20T00:00:00Z"),
///     ("2025-01-06T00:00:00Z", "2025-05-30T00:00:00Z"),
/// ];
///
/// fn terms() -> impl DoubleEndedIterator<Item = Interval> {
///     TERMS.into_iter().filter_map(|(start, end)| Some(Interval::new(start.parse().ok()?, end.parse().ok()?)))
/// }
///
/// impl Timetable for Terms {
///     fn next_after(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
///         terms().find(|term| term.start > t)
///     }
///     fn last_at_or_before(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
///         terms().rfind(|term| term.start <= t)
///     }
///     fn describe(&self) -> String {
///         "school terms".into()
///     }
/// }
///
/// # #[task] async fn grade() {}
/// #[pipeline(schedule = Terms, start = "2024-08-01")]
/// fn grades() {
///     grade();
/// }
///
/// # grades().check()?;
/// let schedule = Schedule::of(Terms, "UTC")?;
/// let now = "2025-02-01T00:00:00Z".parse()?;
/// assert_eq!(schedule.last_complete(now).unwrap().to_string(), "2024-08-12T00:00:00Z/2024-12-20T00:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Timetable: Send + Sync + 'static {
    /// The first data interval that starts after `t`. `zone` is the pipeline's `timezone`.
    fn next_after(&self, t: DateTime<Utc>, zone: Zone) -> Option<Interval>;

    /// The last data interval that starts at or before `t`.
    fn last_at_or_before(&self, t: DateTime<Utc>, zone: Zone) -> Option<Interval>;

    /// The calendar in a few words, for `list`, `check` and messages.
    fn describe(&self) -> String;
}

/// The number of intervals that are probed.
const PROBES: usize = 8;

/// A calendar whose answers are checked, so that none can do harm.
#[derive(Clone)]
pub struct CustomTimetable(Arc<dyn Timetable>);

impl CustomTimetable {
    pub(super) fn new(timetable: Arc<dyn Timetable>) -> Self {
        Self(timetable)
    }

    pub(super) fn next_after(&self, t: DateTime<Utc>, zone: Zone) -> Option<Interval> {
        self.ask(|own| own.next_after(t, zone)).flatten().filter(|interval| interval.start > t && is_sound(interval))
    }

    pub(super) fn last_at_or_before(&self, t: DateTime<Utc>, zone: Zone) -> Option<Interval> {
        self.ask(|own| own.last_at_or_before(t, zone)).flatten().filter(|interval| interval.start <= t && is_sound(interval))
    }

    pub(super) fn describe(&self) -> String {
        self.ask(Timetable::describe).unwrap_or_else(|| "a calendar that panics".to_owned())
    }

    /// Calls the calendar; returns `None` if it panics, and the panic prints its own message.
    fn ask<T>(&self, question: impl FnOnce(&dyn Timetable) -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| question(&*self.0))).ok()
    }

    /// Returns what is wrong with its intervals after `from`, if anything.
    pub(super) fn fault(&self, from: DateTime<Utc>, zone: Zone) -> Option<String> {
        let mut before: Option<Interval> = None;
        let mut t = from;
        for _ in 0..PROBES {
            let Some(answer) = self.ask(|own| own.next_after(t, zone)) else {
                return Some(format!("`next_after({t:?})` panics"));
            };
            let Some(interval) = answer else { break };
            if interval.start <= t {
                return Some(format!("`next_after({t:?})` is {interval}, which does not start after that"));
            }
            if interval.end <= interval.start {
                return Some(format!("the interval {interval} does not end after its start"));
            }
            if let Some(before) = before.filter(|before| interval.start < before.end) {
                return Some(format!("the intervals {before} and {interval} overlap"));
            }
            let last_at = |t: DateTime<Utc>| {
                self.ask(|own| own.last_at_or_before(t, zone)).ok_or_else(|| format!("`last_at_or_before({t:?})` panics"))
            };
            let found = match (last_at(interval.start), last_at(interval.start - TimeDelta::nanoseconds(1))) {
                (Err(panics), _) | (_, Err(panics)) => return Some(panics),
                (Ok(at), Ok(earlier)) => (at, earlier),
            };
            if found.0 != Some(interval) {
                return Some(format!(
                    "`next_after` knows the interval {interval}, and `last_at_or_before({:?})` is {}",
                    interval.start,
                    found.0.map_or_else(|| "none".to_owned(), |other| other.to_string())
                ));
            }
            if let Some(earlier) = found.1.filter(|earlier| earlier.end > interval.start) {
                return Some(format!("the intervals {earlier} and {interval} overlap"));
            }
            if let Some(before) = before.filter(|before| found.1 != Some(*before)) {
                return Some(format!("`last_at_or_before` does not know the interval {before}, which `next_after` does"));
            }
            (before, t) = (Some(interval), interval.start);
        }
        None
    }
}

/// True if the interval can be stored, and has a positive length.
fn is_sound(interval: &Interval) -> bool {
    let is_in_range = |t: DateTime<Utc>| (FIRST_YEAR..=LAST_YEAR).contains(&t.year());
    interval.start < interval.end && is_in_range(interval.start) && is_in_range(interval.end)
}

/// A calendar equals only itself.
impl PartialEq for CustomTimetable {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CustomTimetable {}

impl fmt::Debug for CustomTimetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomTimetable({})", self.describe())
    }
}
