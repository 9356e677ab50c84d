//! Schedules with a fixed distance between their ticks: `every = "4w"`.

use crate::duration::{self, Zero};
use std::time::Duration;

/// Every spelling of a calendar unit.
const CALENDAR_UNITS: &[&str] = &["d", "day", "days", "w", "wk", "wks", "week", "weeks"];

/// The distance between two ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// This many days of the local calendar, at the same wall clock time: longer or shorter if the clock changes.
    Days(u32),
    /// This much time, regardless of clock changes: whole seconds.
    Span(Duration),
}

/// Parses a distance, or returns why the text is invalid.
///
/// Days and weeks follow the calendar, hours and shorter units follow elapsed time; a mixture is refused.
///
/// ```
/// use pipeline_syntax::every::{self, Every};
/// use std::time::Duration;
///
/// assert_eq!(every::parse("4w"), Ok(Every::Days(28)));
/// assert_eq!(every::parse("24h"), Ok(Every::Span(Duration::from_hours(24))));
/// assert!(every::parse("0d").is_err());
/// assert!(every::parse("1d 12h").unwrap_err().contains("write `36h`"));
/// ```
pub fn parse(text: &str) -> Result<Every, String> {
    let length = duration::parse(text, Zero::Refused)?;
    if length.subsec_nanos() != 0 {
        return Err("it has to be whole seconds".to_owned());
    }
    let mut units = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|unit| !unit.is_empty());
    let is_calendar_unit = |unit: &str| CALENDAR_UNITS.contains(&unit);
    if units.clone().all(is_calendar_unit) {
        // A hundred years at most.
        return Ok(Every::Days(u32::try_from(length.as_secs() / (24 * 60 * 60)).unwrap_or(u32::MAX)));
    }
    if units.any(is_calendar_unit) {
        let short = match (length.as_secs() / 60, length.as_secs()) {
            (minutes, seconds) if seconds % 60 != 0 => format!("{}m {}s", minutes, seconds % 60),
            (minutes, _) if minutes % 60 != 0 => format!("{}h {}m", minutes / 60, minutes % 60),
            (minutes, _) => format!("{}h", minutes / 60),
        };
        return Err(format!(
            "days and weeks follow the calendar, but hours and shorter units do not: use one kind, or write `{short}`"
        ));
    }
    Ok(Every::Span(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_are_the_calendars_and_the_rest_is_time() {
        for (text, every) in [
            ("1d", Every::Days(1)),
            ("1w 1d", Every::Days(8)),
            ("2 weeks", Every::Days(14)),
            ("90m", Every::Span(Duration::from_mins(90))),
            ("36h", Every::Span(Duration::from_hours(36))),
            ("30s", Every::Span(Duration::from_secs(30))),
        ] {
            assert_eq!(parse(text), Ok(every), "{text}");
        }
    }

    #[test]
    fn what_is_no_distance_is_refused() {
        for (text, part) in [
            ("0d", "longer than zero"),
            ("0w", "longer than zero"),
            ("-1d", "cannot be negative"),
            ("1500ms", "whole seconds"),
            ("1month", "no fixed length"),
            ("", "it is empty"),
            ("1d 30s", "write `1440m 30s`"),
            ("1d 1h 30m", "write `25h 30m`"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
