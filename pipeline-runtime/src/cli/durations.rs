//! Durations and counts in a form for people.

pub(super) use crate::observe::{brief, offset, plural};
use pipeline_syntax::duration::{self, Zero};
use std::time::Duration;

/// Parses a duration argument as attributes do, but allows zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text, Zero::Allowed)
}
