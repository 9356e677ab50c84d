//! Defaults, and the bounds of values.
//!
//! Each limit is defined only here: the macros check attributes against it, and the plan checks values that a node gets from a
//! method.

use crate::duration::Zero;
use std::time::Duration;

/// The default delay before a retry.
pub const RETRY_DELAY: Duration = Duration::from_mins(5);
/// The default time between two pokes of a sensor.
pub const POKE: Duration = Duration::from_mins(1);
/// The default time limit of one poke.
pub const POKE_TIMEOUT: Duration = Duration::from_mins(1);
/// The default time limit of a sensor's whole wait.
pub const SENSOR_TIMEOUT: Duration = Duration::from_hours(7 * 24);
/// The default time limit of a teardown's attempt.
pub const TEARDOWN_TIMEOUT: Duration = Duration::from_mins(10);
/// The default number of runs of a pipeline that may be active at once.
pub const MAX_ACTIVE_RUNS: u32 = 16;

/// The most retries of a node. Each attempt is recorded in the journal.
pub const MAX_RETRIES: u32 = 1_000_000;
/// The longest duration, a century. A longer one is a mistake, and the milliseconds of a century fit everywhere.
pub const LONGEST: Duration = Duration::from_hours(36_525 * 24);
/// The largest factor of a backoff. Beyond it, delays differ only in how soon they reach their `max`.
pub const STEEPEST: f64 = 1_000_000.0;
/// The longest id, in bytes.
pub const LONGEST_ID: usize = 200;
/// The longest key of a list's element, in bytes.
pub const LONGEST_KEY: usize = 200;

/// Returns whether the duration of an option may be zero. A delay, or an addition to one, can be omitted; a zero limit or
/// interval would have no meaning.
///
/// ```
/// use pipeline_syntax::duration::Zero;
/// use pipeline_syntax::limits;
///
/// assert_eq!(limits::zero_of("retry_delay"), Zero::Allowed);
/// assert_eq!(limits::zero_of("timeout"), Zero::Refused);
/// ```
pub fn zero_of(option: &str) -> Zero {
    match option {
        "retry_delay" | "poke_jitter" | "jitter" => Zero::Allowed,
        _ => Zero::Refused,
    }
}

/// Checks the number of a node's retries, or returns why it is invalid.
///
/// ```
/// use pipeline_syntax::limits;
///
/// assert_eq!(limits::check_retries(3), Ok(()));
/// assert_eq!(limits::check_retries(u32::MAX), Err("a node is retried at most 1000000 times".to_owned()));
/// ```
pub fn check_retries(retries: u32) -> Result<(), String> {
    retries_fault(retries).map_or(Ok(()), |why| Err(why.to_owned()))
}

/// Like [`check_retries`], but also usable in constants.
pub const fn retries_fault(retries: u32) -> Option<&'static str> {
    if retries > MAX_RETRIES { Some("a node is retried at most 1000000 times") } else { None }
}

/// Checks the growth factor of a backoff, or returns why it is invalid.
///
/// ```
/// use pipeline_syntax::limits;
///
/// assert_eq!(limits::check_factor(1.5), Ok(()));
/// assert!(limits::check_factor(0.5).is_err());
/// assert!(limits::check_factor(f64::INFINITY).is_err());
/// ```
pub fn check_factor(factor: f64) -> Result<(), String> {
    factor_fault(factor).map_or(Ok(()), |why| Err(why.to_owned()))
}

/// Like [`check_factor`], but also usable in constants.
pub const fn factor_fault(factor: f64) -> Option<&'static str> {
    if 1.0 <= factor && factor <= STEEPEST {
        None
    } else {
        Some("a factor must be at least 1, or the waits would shrink, and at most 1000000")
    }
}

/// True if a sensor with this first interval is poked a second time within its timeout.
///
/// ```
/// use pipeline_syntax::limits;
///
/// assert!(limits::is_poked_again(limits::POKE, limits::SENSOR_TIMEOUT));
/// assert!(!limits::is_poked_again(limits::POKE, limits::POKE));
/// ```
pub fn is_poked_again(first_wait: Duration, timeout: Duration) -> bool {
    first_wait < timeout
}

/// True if a part of a sensor's wait, its `poke_timeout` or `poke_jitter`, is no longer than the whole.
///
/// ```
/// use pipeline_syntax::limits;
///
/// assert!(limits::fits_the_wait(limits::POKE_TIMEOUT, limits::SENSOR_TIMEOUT));
/// ```
pub fn fits_the_wait(part: Duration, timeout: Duration) -> bool {
    part <= timeout
}
