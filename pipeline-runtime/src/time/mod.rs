//! The two clocks, and the time zones.
//!
//! A [`Clock`] follows the monotonic clock: budgets, timeouts and pokes, and all times of runs. A [`Calendar`] follows the wall
//! clock: what is due, and the date of a run that was requested without one. While a body of a simulation waits for something
//! [`Outside`], its clock stands still.
//!
//! # Invariants
//!
//! - A run knows no time but that of its [`Clock`]: a live run, a run on a faster clock and a simulation differ only in their
//!   clock. Only what the outside world sees uses the machine's own time: limits of single requests, times of files, redrawing a
//!   terminal.
//! - A clock reads the wall clock once and then follows the monotonic clock. A later process starts its own clock no earlier than
//!   the newest record. (`cli/clock_changes.rs`)

mod calendar;
mod clock;
mod moment;
mod outside;
mod timestamp;
mod wall;
mod zone;

pub(crate) use calendar::{Calendar, LeapDetector, Present};
pub use clock::Clock;
pub(crate) use moment::Moment;
pub(crate) use outside::{Outside, account_for, accounted, real_time};
pub use timestamp::Timestamp;
#[cfg(test)]
pub(crate) use wall::set;
pub use zone::{Zone, ZoneOffset};
pub(crate) use zone::{report as zone_report, sought as zones_sought};
