//! Durations in humantime's format (`1h30m`), without its units of variable length.

use crate::limits::LONGEST;
use crate::suggest;
use humantime::DurationError;
use std::time::Duration;

/// The documented units, for messages.
const UNITS: &str = "`ms`, `s`, `m`, `h`, `d`, `w`";

/// Every spelling that humantime accepts for the units that are accepted here.
const SPELLINGS: &[&str] = &[
    "ms", "msec", "millis", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr", "hrs",
    "hour", "hours", "d", "day", "days", "w", "wk", "wks", "week", "weeks",
];

/// Whether a duration may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// It may, such as a wait that can be omitted.
    Allowed,
    /// It may not.
    Refused,
}

/// Parses a duration, or returns why the text is invalid.
///
/// ```
/// use pipeline_syntax::duration::{self, Zero};
/// use std::time::Duration;
///
/// assert_eq!(duration::parse("250ms", Zero::Refused), Ok(Duration::from_millis(250)));
/// assert_eq!(duration::parse("0s", Zero::Allowed), Ok(Duration::ZERO));
/// assert_eq!(duration::parse("0s", Zero::Refused), Err("it must be longer than zero".to_owned()));
/// ```
pub fn parse(text: &str, zero: Zero) -> Result<Duration, String> {
    refuse_calendar_units(text)?;
    let text = text.trim();
    let duration = humantime::parse_duration(text).map_err(|error| explain(text, &error))?;
    check(duration, zero)?;
    Ok(duration)
}

/// Checks that the engine supports a duration: whole milliseconds, and at most a hundred years.
///
/// ```
/// use pipeline_syntax::duration::{self, Zero};
/// use std::time::Duration;
///
/// assert_eq!(duration::check(Duration::from_secs(1), Zero::Refused), Ok(()));
/// assert!(duration::check(Duration::from_micros(1500), Zero::Refused).is_err());
/// assert!(duration::check(Duration::MAX, Zero::Refused).is_err());
/// ```
pub fn check(duration: Duration, zero: Zero) -> Result<(), String> {
    fault(duration, zero).map_or(Ok(()), |why| Err(why.to_owned()))
}

/// Like [`check`], but also usable in constants: returns the mistake, if there is one.
pub const fn fault(duration: Duration, zero: Zero) -> Option<&'static str> {
    if duration.is_zero() && matches!(zero, Zero::Refused) {
        return Some("it must be longer than zero");
    }
    if duration.as_nanos() > LONGEST.as_nanos() {
        return Some("it is longer than a hundred years");
    }
    if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        return Some("it is finer than a millisecond, the engine's smallest unit: use `ms` or longer");
    }
    None
}

/// humantime counts a month as 30.44 days and a year as 365.25 days, and its `M` is easily mistaken for minutes.
fn refuse_calendar_units(text: &str) -> Result<(), String> {
    for word in text.split(|c: char| !c.is_ascii_alphabetic()) {
        match word {
            "M" => {
                return Err("`M` is a month, which has no fixed length; for minutes write `m`".to_owned());
            }
            "month" | "months" | "y" | "yr" | "yrs" | "year" | "years" => {
                return Err(format!("`{word}` has no fixed length; use `d` for days or `w` for weeks"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn explain(text: &str, error: &DurationError) -> String {
    let expected = "expected numbers with units, as in `45s` or `1h30m`";
    match error {
        DurationError::UnknownUnit { unit, value, .. } if unit.is_empty() => {
            format!("the unit is missing: write `{value}s`, `{value}m` or `{value}h`")
        }
        DurationError::UnknownUnit { unit, .. } => match suggest::nearest(unit, SPELLINGS) {
            Some(near) if near != unit => format!("unknown unit `{unit}`; did you mean `{near}`?"),
            _ => format!("unknown unit `{unit}`; the units are {UNITS}"),
        },
        DurationError::InvalidCharacter(at) | DurationError::NumberExpected(at) => {
            match text.get(*at..).and_then(|rest| rest.chars().next()) {
                Some('-') => "a duration cannot be negative".to_owned(),
                Some(other) => format!("unexpected `{other}`; {expected}"),
                None => expected.to_owned(),
            }
        }
        DurationError::Empty => format!("it is empty; {expected}"),
        DurationError::NumberOverflow => "the number is too large, or finer than a millisecond".to_owned(),
    }
}

/// A duration in the format in which its author would write it.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(pipeline_syntax::duration::show(Duration::from_secs(5400)), "1h 30m");
/// ```
pub fn show(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text, Zero::Refused).expect_err(text)
    }

    #[test]
    fn humantime_is_read() {
        for (text, seconds) in [
            ("45s", 45),
            ("1h30m", 5400),
            ("1h 30m", 5400),
            ("10 minutes", 600),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("1.5h", 5400),
        ] {
            assert_eq!(parse(text, Zero::Refused), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms", Zero::Refused), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1000us", Zero::Refused), Ok(Duration::from_millis(1)));
    }

    #[test]
    fn calendar_units_are_refused_with_the_reason() {
        assert!(refused("5M").contains("for minutes write `m`"));
        assert!(refused("1month").contains("no fixed length"));
        assert!(refused("2 years").contains("`years` has no fixed length"));
        assert!(refused("1y").contains("no fixed length"));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        assert_eq!(refused("45"), "the unit is missing: write `45s`, `45m` or `45h`");
        assert_eq!(refused("10 minuts"), "unknown unit `minuts`; did you mean `minute`?");
        assert_eq!(refused("3x"), "unknown unit `x`; the units are `ms`, `s`, `m`, `h`, `d`, `w`");
        assert!(refused("").starts_with("it is empty"));
        assert_eq!(refused("-5s"), "a duration cannot be negative");
        assert!(refused("soon").starts_with("unexpected `s`"));
        assert!(refused("0s").contains("longer than zero"));
        assert!(refused("1500us").contains("finer than a millisecond"));
        assert!(refused("9999w").contains("hundred years"));
        assert_eq!(refused("18446744073709551615s"), "it is longer than a hundred years");
        assert!(refused("18446744073709551616s").contains("too large"));
    }
}
