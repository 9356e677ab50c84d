//! The two clocks, and the time zones.
//!
//! A [`Clock`] follows the monotonic clock: budgets, timeouts and pokes, and all times of runs. A [`Calendar`] follows the wall
//! clock: what is due, and the date of a run that was asked for without one. While a body of a simulation waits for what is [`Outside`], its
//! clock stands still.
//!
//! # Invariants
//!
//! - A run knows no time but its [`Clock`]'s: a live run, a run on a faster clock and a simulation differ in their clock alone. Only what
//!   the outside world sees goes by the machine's own time: limits of single requests, times of files, redrawing a terminal.
//! - A clock is read off the wall once and then follows the monotonic clock. A later process starts its own no earlier than the newest record.
//!   (`cli/clock_changes.rs`)

mod calendar;
mod clock;
mod moment;
mod outside;
mod timestamp;
mod wall;
mod zone;

pub(crate) use calendar::{Calendar, Leaps, Present};
pub use clock::Clock;
pub(crate) use moment::Moment;
pub(crate) use outside::{Outside, account_for, accounted, real_time};
pub use timestamp::Timestamp;
#[cfg(test)]
pub(crate) use wall::set;
pub use zone::{Zone, ZoneOffset};
pub(crate) use zone::{report as zone_report, sought as zones_sought};
