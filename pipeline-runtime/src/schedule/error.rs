//! What can be wrong with a schedule or a date, in words that say what to write instead.

use thiserror::Error;

/// Why a schedule was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text is no cron line.
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
    /// There is no such time zone.
    #[error("`{zone}` is not a time zone; {hint}")]
    Zone {
        /// The text as given.
        zone: String,
        /// What to write.
        hint: String,
    },
}

/// Why a date was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DateError {
    /// The text has none of the accepted forms.
    #[error(
        "`{text}` is not a date; write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`"
    )]
    Form {
        /// The text as given.
        text: String,
    },
    /// The form is right, but the calendar or the clock has no such value.
    #[error("`{text}` does not exist: {reason}")]
    Value {
        /// The text as given.
        text: String,
        /// Which part is out of range.
        reason: &'static str,
    },
    /// A time outside of those that are kept.
    #[error("`{text}` cannot be kept: years run from 1678 to 2261, as times are counted in nanoseconds")]
    Outside {
        /// The text as given.
        text: String,
    },
    /// The zone's clock skipped this time.
    #[error(
        "`{text}` does not exist in {zone}, whose clock then went from {from} to {to}; write `{after}`, the first instant after it"
    )]
    Gap {
        /// The text as given.
        text: String,
        /// The time zone's name.
        zone: &'static str,
        /// The wall clock time at which the gap begins.
        from: String,
        /// The wall clock time at which it ends.
        to: String,
        /// The first instant after the gap, in RFC 3339.
        after: String,
    },
    /// The zone's clock showed this time twice.
    #[error("`{text}` happened twice in {zone}; write `{first}` or `{second}`")]
    Fold {
        /// The text as given.
        text: String,
        /// The time zone's name.
        zone: &'static str,
        /// The first of the two instants, in RFC 3339.
        first: String,
        /// The second of the two instants, in RFC 3339.
        second: String,
    },
    /// A window that ends before it starts.
    #[error("the end, `{end}`, is before the start, `{start}`")]
    EndBeforeStart {
        /// The start as given.
        start: String,
        /// The end as given.
        end: String,
    },
}
