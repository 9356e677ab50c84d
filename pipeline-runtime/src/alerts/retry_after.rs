//! `Retry-After`: how long an overloaded server asks to wait.

use chrono::{DateTime, Utc};
use std::time::Duration;

/// The statuses with which a server may ask to wait: too many requests, and service unavailable.
const STATUSES: [u16; 2] = [429, 503];

/// The wait that an answer with this `Retry-After` asks for. A date counts from the server's own time, its `Date`, if it is
/// given, because its clock may differ from ours; `now` is our time.
pub(super) fn requested_wait(status: u16, after: Option<&str>, date: Option<&str>, now: DateTime<Utc>) -> Option<Duration> {
    let after = after.filter(|_| STATUSES.contains(&status))?.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = date.and_then(parse).unwrap_or(now);
    // A past date asks for no wait.
    Some((parse(after)? - now).to_std().unwrap_or_default())
}

/// Parses an HTTP date. Its two older forms have not been sent for decades.
fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, after: &str, date: Option<&str>) -> Option<Duration> {
        requested_wait(status, Some(after), date, "2024-03-25T06:00:00Z".parse().unwrap())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(of(429, "30", None), seconds(30));
        assert_eq!(of(503, " 120 ", None), seconds(120));
        assert_eq!(of(503, "Mon, 25 Mar 2024 06:00:42 GMT", None), seconds(42));
        assert_eq!(of(503, "Mon, 25 Mar 2024 05:00:00 GMT", None), seconds(0), "it is past");
    }

    #[test]
    fn a_date_counts_from_the_servers_time() {
        let (server, later) = ("Mon, 25 Mar 2024 09:00:00 GMT", "Mon, 25 Mar 2024 09:00:30 GMT");
        assert_eq!(of(503, later, Some(server)), Some(Duration::from_secs(30)));
    }

    #[test]
    fn what_says_nothing_asks_for_nothing() {
        assert_eq!(of(500, "30", None), None, "a status that does not ask");
        for text in ["", "soon", "-1", "1.5", "Mon, 25 Mar", "99999999999999999999999"] {
            assert_eq!(of(429, text, None), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_number_is_a_time() {
        assert_eq!(of(429, "18446744073709551615", None), Some(Duration::from_secs(u64::MAX)));
    }
}
