//! Mistakes in a schedule, with messages that say what to write instead.

use thiserror::Error;

/// The message that a pipeline's schedule has no interval for a run at that time.
pub(crate) fn no_interval(pipeline: &str, date: &str) -> String {
    format!("the schedule of pipeline `{pipeline}` has no data interval at {date}")
}

/// Why a schedule was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text is not a cron line.
    #[error("`{cron}` is not a cron schedule: {reason}")]
    Cron {
        /// The text as given.
        cron: String,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// The line is well-formed but names days that do not exist, such as `0 0 31 2 *`.
    #[error("`{cron}` never fires: no month it names has such a day")]
    Never {
        /// The text as given.
        cron: String,
    },
    /// The distance of a recurrence, or its start, is invalid.
    #[error("`{every}` is not a valid recurrence: {reason}")]
    Every {
        /// The distance or the start, as given.
        every: String,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// There is no such time zone.
    #[error("`{zone}` is not a time zone; {hint}")]
    Zone {
        /// The text as given.
        zone: String,
        /// What to write.
        hint: String,
    },
}
