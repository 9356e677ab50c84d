//! Schedules: five-field cron with croniter's, hence Airflow's, meaning, and Airflow's presets.
//!
//! `field` parses one field, `grammar` the line, and `days` matches the days.

mod days;
mod field;
mod grammar;
#[cfg(test)]
mod oracle;
mod values;

use std::fmt;

pub use days::{Days, MonthDays, Weekdays};
pub use values::Values;

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The minutes of an hour at which it fires.
    pub minutes: Values,
    /// The hours of a day in which it fires.
    pub hours: Values,
    /// The days on which it fires.
    pub days: Days,
    /// True if the rule for fixed times applies when the clock changes: neither minute nor hour has a `*` or a step.
    pub fixed_time: bool,
}

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CronError {
    /// It cannot be parsed; the text states what is wrong.
    Form(String),
    /// It can be parsed, but names only days that do not exist, such as `0 0 31 2 *`.
    Never,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(reason) => f.write_str(reason),
            Self::Never => f.write_str("it never fires: none of its months has such a day"),
        }
    }
}

impl std::error::Error for CronError {}

/// Parses a schedule.
///
/// ```
/// use pipeline_syntax::cron::{self, CronError};
///
/// assert!(cron::parse("0 6 * * *").is_ok_and(|line| line.fixed_time));
/// assert!(cron::parse("@hourly").is_ok_and(|line| !line.fixed_time));
/// assert_eq!(cron::parse("61 6 * * *").unwrap_err(), CronError::Form("minute 61 is not within 0-59".to_owned()));
/// assert_eq!(cron::parse("0 0 30 2 *").unwrap_err(), CronError::Never);
/// ```
pub fn parse(text: &str) -> Result<Line, CronError> {
    let line = grammar::read(text).map_err(CronError::Form)?;
    if line.days.are_any() { Ok(line) } else { Err(CronError::Never) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn schedules_are_read_as_croniter_does() {
        for line in [
            "0 6 * * *",
            "0/30 * * * *",
            "*/5 8-18 * * MON-FRI",
            "0 0 L * *",
            "0 0 29 2 *",
            "15,45 0 1 jan 7",
            "@daily",
            "@midnight",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn the_guilty_field_is_named() {
        assert_eq!(refused("61 6 * * *"), "minute 61 is not within 0-59");
        assert_eq!(refused("0 6 * * FUNDAY"), "`FUNDAY` is not a day of week: expected a number or a name such as `SUN`");
        assert_eq!(refused("0 25 * * *"), "hour 25 is not within 0-23");
        assert_eq!(refused("0 6 0 * *"), "day of month 0 is not within 1-31");
    }

    #[test]
    fn the_number_of_fields_is_explained() {
        assert!(refused("0 0 6 * * *").ends_with("no field for seconds or years: write `0 6 * * *`"));
        assert!(refused("6 * *").ends_with("but found 3"));
        assert!(refused("daily").ends_with("the preset is `@daily`"));
        assert!(refused("").contains("but found 0; "));
    }

    #[test]
    fn presets_are_airflows() {
        assert_eq!(refused("@dayly"), "unknown preset; did you mean `@daily`?");
        assert!(refused("@once").contains("leave the option out"));
    }

    #[test]
    fn lines_that_never_fire_are_refused() {
        for line in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert_eq!(parse(line).expect_err(line), CronError::Never);
        }
        assert_eq!(refused("0 0 30 2 *"), "it never fires: none of its months has such a day");
    }

    #[test]
    fn lines_that_rarely_fire_are_not() {
        for line in ["0 0 29 2 *", "0 0 31 * *", "0 0 * 2 1#5", "0 0 31W 2 *"] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }
}
