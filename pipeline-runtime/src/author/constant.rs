//! Constants in place of an option's literal: checked against the limits of literals when rustc evaluates constants, which
//! `cargo check` does, too.
//!
//! The expansion calls these functions in a constant of its own, at the path that the author wrote, so that the panic is an error
//! there.

use crate::author::options::Backoff;
use pipeline_syntax::duration::{Zero, fault};
use pipeline_syntax::limits;
use std::time::Duration;

/// A number of retries.
///
/// # Panics
///
/// Beyond the limits. As it is called in a constant, the panic is a compile error at the call.
#[track_caller]
pub const fn retries(retries: u32) -> u32 {
    refuse(limits::retries_fault(retries));
    retries
}

/// A number that is not zero.
///
/// # Panics
///
/// Beyond the limits. As it is called in a constant, the panic is a compile error at the call.
#[track_caller]
pub const fn at_least_one(number: u32) -> u32 {
    assert!(number > 0, "it must be 1 or more");
    number
}

/// A duration that is longer than zero, in milliseconds.
///
/// # Panics
///
/// Beyond the limits. As it is called in a constant, the panic is a compile error at the call.
#[track_caller]
pub const fn limit(duration: Duration) -> u64 {
    millis(duration, Zero::Refused)
}

/// A duration that may be zero, in milliseconds.
///
/// # Panics
///
/// Beyond the limits. As it is called in a constant, the panic is a compile error at the call.
#[track_caller]
pub const fn wait(duration: Duration) -> u64 {
    millis(duration, Zero::Allowed)
}

/// Growing waits, within the limits of an attribute's `backoff(..)`.
///
/// # Panics
///
/// Beyond the limits. As it is called in a constant, the panic is a compile error at the call.
#[track_caller]
pub const fn backoff(backoff: Backoff) -> Backoff {
    millis(backoff.start(), Zero::Refused);
    millis(backoff.max(), Zero::Refused);
    millis(backoff.jitter(), Zero::Allowed);
    assert!(backoff.start().as_millis() <= backoff.max().as_millis(), "a backoff's `start` is at most its `max`");
    refuse(limits::factor_fault(backoff.factor()));
    backoff
}

#[track_caller]
const fn millis(duration: Duration, zero: Zero) -> u64 {
    refuse(fault(duration, zero));
    // At most a hundred years.
    duration.as_secs() * 1000 + duration.subsec_millis() as u64
}

#[track_caller]
const fn refuse(fault: Option<&'static str>) {
    if let Some(why) = fault {
        panic!("{}", why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_its_milliseconds() {
        const LONG: u64 = limit(pipeline_syntax::limits::LONGEST);
        assert_eq!(LONG, 36_525 * 24 * 60 * 60 * 1000);
        assert_eq!(wait(Duration::ZERO), 0);
        assert_eq!(limit(Duration::from_millis(1500)), 1500);
    }

    #[test]
    #[should_panic(expected = "it must be longer than zero")]
    fn a_limit_is_longer_than_zero() {
        limit(Duration::ZERO);
    }

    #[test]
    #[should_panic(expected = "at most 1000000 times")]
    fn retries_have_a_limit() {
        retries(1_000_001);
    }
}
