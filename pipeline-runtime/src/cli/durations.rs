//! Durations and counts as people read them.

pub(super) use crate::observe::{brief, plural};
use pipeline_syntax::duration::{self, Zero};
use std::time::Duration;

/// What an argument says: a duration as an attribute has it, or none at all.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text, Zero::Allowed)
}

/// The time since the run's start: `12.3s`, `7m 30s`.
pub(super) fn offset(at: Duration) -> String {
    if at < Duration::from_mins(1) { format!("{:.1}s", at.as_secs_f64()) } else { brief(at) }
}
