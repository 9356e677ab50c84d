//! The one clock that everything goes by, and the time zones.
//!
//! Invariant: nothing outside this module reads the time or sleeps. A live run, a run on a faster clock and a simulation
//! differ in their [`Clock`] alone.

mod clock;
mod moment;
mod timestamp;
mod wall;
mod zone;

pub use clock::Clock;
pub(crate) use moment::Moment;
pub use timestamp::Timestamp;
#[cfg(test)]
pub(crate) use wall::set;
pub use zone::{Zone, ZoneOffset};
pub(crate) use zone::{report as zone_report, sought as zones_sought};
