//! The values of a pipeline's option `schedule`, before its zone is known.

use std::sync::Arc;

use super::Schedule;
use super::cron::Line;
use super::dates::parse_zone;
use super::error::ScheduleError;
use super::every::Delta;
use super::timetable::{CustomTimetable, Timetable};

/// Cron lines that are checked where they are written: a value of [`cron!`](crate::cron!).
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const DAILY: Cron = cron!("0 6 * * *");
/// /// Each line's ticks are the schedule's.
/// const OFFICE: Cron = cron!("0 6 * * 1-5", "0 10 * * 6");
///
/// #[task] async fn load() {}
/// #[pipeline(schedule = DAILY)] fn orders() { load(); }
/// #[pipeline(schedule = OFFICE)] fn visits() { load(); }
/// # orders().check()?; visits().check()?;
/// # Ok::<(), pipeline_runtime::PlanError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    lines: &'static [&'static str],
}

impl Cron {
    /// What the macros expand to.
    #[doc(hidden)]
    pub const fn checked(lines: &'static [&'static str]) -> Self {
        Self { lines }
    }

    /// The lines.
    pub const fn lines(&self) -> &'static [&'static str] {
        self.lines
    }
}

/// A recurrence at a fixed distance: a value of [`every!`](crate::every!).
///
/// Days and weeks are those of the local calendar, at the same wall clock time in summer and in winter; hours and shorter units
/// are elapsed time, whatever the wall clock shows. The first data interval starts at `from`.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const SPRINT: Every = every!("2w", from = "2024-01-08");
///
/// #[task] async fn load() {}
/// #[pipeline(schedule = SPRINT)] fn velocity() { load(); }
/// #[pipeline(schedule(every = "90m", from = "2024-01-08T00:30"))] fn gauges() { load(); }
/// # velocity().check()?; gauges().check()?;
/// # Ok::<(), pipeline_runtime::PlanError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    every: &'static str,
    from: &'static str,
}

impl Every {
    /// What the macros expand to.
    #[doc(hidden)]
    pub const fn checked(every: &'static str, from: &'static str) -> Self {
        Self { every, from }
    }
}

/// What the option `schedule` takes: a [`Cron`], an [`Every`], or a [`Timetable`].
#[diagnostic::on_unimplemented(
    message = "this is not a schedule: `{Self}`",
    label = "expected a `Cron`, an `Every` or a `Timetable`",
    note = "write `const DAILY: Cron = cron!(\"0 6 * * *\");` and use its name; an attribute also takes the line itself, in quotes",
    note = "for what no cron line can say, use `every!(\"4w\", from = \"2024-01-31\")`, or implement `Timetable` for a type of your own"
)]
pub trait IntoSchedule {
    #[doc(hidden)]
    fn recurrence(self) -> Recurrence;
}

impl IntoSchedule for Cron {
    fn recurrence(self) -> Recurrence {
        Recurrence::Cron(self)
    }
}

impl IntoSchedule for Every {
    fn recurrence(self) -> Recurrence {
        Recurrence::Every(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Timetable> IntoSchedule for T {
    fn recurrence(self) -> Recurrence {
        Recurrence::Custom(CustomTimetable::new(Arc::new(self)))
    }
}

/// A pipeline's schedule without its zone.
#[derive(Debug, Clone)]
pub enum Recurrence {
    #[doc(hidden)]
    Cron(Cron),
    #[doc(hidden)]
    Every(Every),
    #[doc(hidden)]
    Custom(CustomTimetable),
}

impl Recurrence {
    /// The schedule in that zone.
    pub(crate) fn schedule(&self, zone: &str) -> Result<Schedule, ScheduleError> {
        let zone = parse_zone(zone)?;
        match self {
            Self::Cron(cron) => Schedule::lines(cron.lines.iter().map(|line| Line::parse(line)), zone),
            Self::Every(Every { every, from }) => Ok(Schedule::every(Delta::parse(every, from, zone)?, zone)),
            Self::Custom(own) => Ok(Schedule::custom(own.clone(), zone)),
        }
    }
}
