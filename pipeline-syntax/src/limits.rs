//! Defaults, and the bounds of values.
//!
//! Each stands here alone: the macros judge by it what is written in an attribute, and the plan what a node is given by a method.

use crate::duration::Zero;
use std::time::Duration;

/// The wait before a retry, where nothing is said.
pub const RETRY_DELAY: Duration = Duration::from_mins(5);
/// The time from one poke of a sensor to the next, where nothing is said.
pub const POKE: Duration = Duration::from_mins(1);
/// The longest that one poke may take, where nothing is said.
pub const POKE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a sensor waits in all, where nothing is said.
pub const SENSOR_TIMEOUT: Duration = Duration::from_hours(7 * 24);
/// The longest that an attempt of a teardown may take, where nothing is said.
pub const TEARDOWN_TIMEOUT: Duration = Duration::from_mins(10);
/// How many runs of a pipeline may be active at once, where nothing is said.
pub const MAX_ACTIVE_RUNS: u32 = 16;

/// The most retries of a node. Each attempt is kept in the journal.
pub const MAX_RETRIES: u32 = 1_000_000;
/// The longest duration, a century. What is longer is a slip, and its milliseconds fit everywhere.
pub const LONGEST: Duration = Duration::from_hours(36_525 * 24);
/// The steepest factor of a backoff. From there on the waits only differ in how soon they reach their `max`.
pub const STEEPEST: f64 = 1_000_000.0;
/// The longest id, in bytes.
pub const LONGEST_ID: usize = 200;
/// The longest key of a list's element, in bytes.
pub const LONGEST_KEY: usize = 200;

/// Whether the duration of an option may be zero. A wait, or an addition to one, may be left out; a limit or an interval of no time
/// would mean nothing.
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

/// Whether a node may be retried so often, or why not.
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

/// As [`check_retries`], also where a constant is evaluated.
pub const fn retries_fault(retries: u32) -> Option<&'static str> {
    if retries > MAX_RETRIES { Some("a node is retried at most 1000000 times") } else { None }
}

/// Whether a backoff may grow by this factor, or why not.
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

/// As [`check_factor`], also where a constant is evaluated.
pub const fn factor_fault(factor: f64) -> Option<&'static str> {
    if 1.0 <= factor && factor <= STEEPEST {
        None
    } else {
        Some("a factor is at least 1, or the waits would shrink, and at most 1000000")
    }
}

/// Whether a sensor that first waits so long is poked a second time within its timeout.
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

/// Whether a part of a sensor's wait, its `poke_timeout` or `poke_jitter`, is no longer than the whole.
///
/// ```
/// use pipeline_syntax::limits;
///
/// assert!(limits::fits_the_wait(limits::POKE_TIMEOUT, limits::SENSOR_TIMEOUT));
/// ```
pub fn fits_the_wait(part: Duration, timeout: Duration) -> bool {
    part <= timeout
}
