//! Durations and counts as people read them.

pub(super) use crate::observe::{brief, offset, plural};
use pipeline_syntax::duration::{self, Zero};
use std::time::Duration;

/// What an argument says: a duration as an attribute has it, or none at all.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text, Zero::Allowed)
}
