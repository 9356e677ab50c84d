//! When a pipeline runs: cron lines, recurrences (`every`) and custom calendars in a time zone, the data intervals that they
//! define, and which of these are due.
//!
//! Nothing here reads a clock. Every time is passed in, so that the live scheduler and a simulation on virtual time get the same
//! answers.
//!
//! | question | answer |
//! |---|---|
//! | what does this cron line mean in a zone? | [`Schedule::parse`] |
//! | what does a constant mean? | [`Schedule::of`]: a [`Cron`], an [`Every`], or a custom [`Timetable`] |
//! | when does it fire? | [`Schedule::next_after`], [`Schedule::last_at_or_before`], [`Schedule::ticks`] |
//! | which interval is `--logical-date D`? | [`Schedule::interval_of`], or [`Interval::at`] without a schedule |
//! | which interval does a bare `run` take? | [`Schedule::last_complete`] |
//! | which intervals does a backfill cover? | [`Schedule::intervals`] |
//! | what should run now, and when to check again? | [`Window::due`], [`Window::next_due`] |
//! | which instant is `2024-03-25T06:00`? | [`parse_date`] |
//! | by which rules does a zone's clock change? | [`Zone`] |
//!
//! # Invariants
//!
//! - A tick closes an interval: consecutive intervals touch, never overlap, and each starts and ends at a tick. The intervals of
//!   a custom calendar need not touch; nothing else here depends on that.
//! - A cron line's tick is a whole minute of the zone's wall clock, and that of an `every` a whole second. All ticks are in the
//!   years 1678 to 2261, those that a time in nanoseconds, as it is stored, covers completely. Beyond them the answer is `None`.
//! - `next_after` and `last_at_or_before` traverse the same set of ticks: each is the inverse of the other, across every clock
//!   change.
//! - A schedule that parses fires: one that never can, such as `0 0 31 2 *`, is refused.
//!
//! # When the clock changes
//!
//! The rule is Vixie cron's. A line whose minute and hour are plain numbers, lists or ranges of them is a *fixed-time* line
//! (`30 2 * * *`, `30 2,14 * * *`): each of its times fires once a day. If the clock skips the time, it fires at the first
//! instant after the gap; if the clock repeats it, at the first of the two. A line with a `*` or a step in either field is an
//! *interval* line (`0/30 * * * *`, `0 */6 * * *`): it fires whenever the wall clock shows one of its times, so never in a gap
//! and twice in a repeated hour.
//!
//! An `every` of days or weeks keeps the wall clock time, like a fixed-time line; one of hours or less counts elapsed time,
//! whatever the wall clock shows. A custom calendar is given the zone, and decides itself.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod cron;
mod dates;
mod describe;
mod error;
mod every;
#[cfg(feature = "airflow")]
mod exported;
mod interval;
mod kind;
mod logical_date;
mod macros;
mod recurrence;
#[expect(clippy::module_inception, reason = "the folder's subject has the folder's name")]
mod schedule;
mod ticks;
mod times;
mod timetable;
mod wall;
mod window;

pub use crate::time::{Zone, ZoneOffset};
pub(crate) use dates::parse_last;
pub use dates::{parse_date, parse_zone};
pub use error::ScheduleError;
pub(crate) use error::no_interval;
#[cfg(feature = "airflow")]
pub(crate) use exported::ExportedSchedule;
pub use interval::{Interval, Intervals};
pub use kind::RunKind;
pub use logical_date::LogicalDateError;
pub(crate) use logical_date::interval_of;
pub use pipeline_syntax::date::DateError;
pub(crate) use recurrence::Recurrence;
pub use recurrence::{Cron, Every, IntoSchedule};
pub use schedule::Schedule;
pub use ticks::Ticks;
pub use timetable::Timetable;
pub use window::Window;

#[cfg(test)]
mod oracle;
