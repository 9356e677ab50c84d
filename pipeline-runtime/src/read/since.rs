//! The time since which runs are listed, as users write it: `since` of the API and `--since` of the command line.

use crate::schedule::{DateError, Zone, parse_date};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use pipeline_syntax::duration::{self, Zero};

/// Parses a date in `zone`, or a duration before `now`, such as `7d`.
///
/// # Errors
///
/// Says what is wrong with the text, without a name for it.
pub(crate) fn parse_since(text: &str, zone: Zone, now: Timestamp) -> Result<DateTime<Utc>, String> {
    let not_a_duration = match duration::parse(text, Zero::Allowed) {
        Ok(ago) => return Ok((now - ago).to_utc()),
        Err(reason) => reason,
    };
    parse_date(text, zone).map_err(|error| match error {
        DateError::Form { .. } => {
            format!("`{text}` is neither a date, as `2024-01-31` is, nor a duration, as `7d` is: {not_a_duration}")
        }
        error => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_date_or_a_duration_before_now() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2024-03-25T06:00:00Z");
        let since = |text: &str| parse_since(text, Zone::UTC, now.into());
        assert_eq!(since("2024-03-24"), Ok(at("2024-03-24T00:00:00Z")));
        assert_eq!(since("90m"), Ok(at("2024-03-25T04:30:00Z")));
        assert_eq!(since("0s"), Ok(now));
        assert!(since("400000d").unwrap_err().ends_with("it is longer than a hundred years"));
        assert!(since("soon").unwrap_err().starts_with("`soon` is neither a date"));
        assert!(since("2024-02-30").unwrap_err().starts_with("`2024-02-30`"));
    }
}
