//! Time zones, with the rules that are known now.
//!
//! `pipeline_syntax::zone` reads the two databases, the machine's and the built-in one, and the rules of a zone.
//!
//! | file | its one subject |
//! |---|---|
//! | `table` | the zones that were requested, and when to check whether the machine's database has changed |
//! | `convert` | a zone as chrono's `TimeZone` |
//! | `report` | the information about all this that users see |
//!
//! # Invariants
//!
//! - A [`Zone`] is a value: its results depend on no clock and no file. To see an update, request the zone again.
//!   (`time/zone/tests`)
//! - The machine's files are checked only when a zone is requested, and at most once a minute.
//! - The rules of a zone are never freed. So a [`Zone`] is `Copy`, and a search takes no lock; each zone and update costs some
//!   kilobytes of memory.
//!
//! # Why two databases
//!
//! The newer of the two is used first. On a Debian 12 that nobody upgrades, the machine's alone would be of 2025b, and the
//! built-in one alone would require a new binary for each change of law. chrono-tz only has its own, of 2025b
//! (`findings/chrono_tz_is_of_2025.sh`), and jiff prefers the machine's whichever is newer
//! (`findings/jiff_takes_an_older_system_database.sh`). So names, versions and files are handled here. Compiled zones are read by
//! jiff-core, a part of jiff: building all of jiff takes two more CPU seconds. chrono remains the date type of the API, and
//! [`Zone`] is one of its time zones.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod convert;
mod report;
mod stamp;
mod table;
#[cfg(test)]
mod tests;

pub use convert::ZoneOffset;
pub(crate) use report::{report, sought};

use pipeline_syntax::zone::Rules;
use std::fmt;
use table::{ZoneName, Zones};

/// A time zone of the IANA database, with its rules as they were known when it was requested.
///
/// The rules come from the machine's own time zone database or from the built-in one, whichever is newer; a zone that only one of
/// them has comes from that one. `Zone` is one of chrono's time zones:
///
/// ```
/// use chrono::{DateTime, Utc};
/// use pipeline_runtime::schedule::Zone;
///
/// let vancouver = Zone::named("America/Vancouver").ok_or("no such zone")?;
/// let date: DateTime<Utc> = "2024-07-01T12:00:00Z".parse()?;
/// assert_eq!(date.with_timezone(&vancouver).to_rfc3339(), "2024-07-01T05:00:00-07:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Zone {
    of: &'static ZoneName,
    /// `None` for UTC, which needs no database.
    rules: Option<&'static Rules>,
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self { of: ZoneName::utc(), rules: None };

    /// The zone of this name, such as `Europe/Berlin`, if either database has it. Case matters.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Zone;
    ///
    /// assert!(Zone::named("Europe/Berlin").is_some());
    /// assert!(Zone::named("europe/berlin").is_none());
    /// assert_eq!(Zone::named("UTC"), Some(Zone::UTC));
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Zones::of_this_process().zone(name)
    }

    /// The same zone with the rules as they are known now, which are different if the machine's database was updated since.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Zone;
    ///
    /// let berlin = Zone::named("Europe/Berlin").ok_or("no such zone")?;
    /// assert_eq!(berlin.current(), berlin);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn current(self) -> Self {
        self.of.current().unwrap_or(self)
    }

    /// Its name in the IANA database.
    ///
    /// ```
    /// assert_eq!(pipeline_runtime::schedule::Zone::UTC.name(), "UTC");
    /// ```
    pub fn name(self) -> &'static str {
        self.of.name()
    }
}

/// UTC.
impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

/// Compares names only, not rules.
impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
