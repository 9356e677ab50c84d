//! `Retry-After`: how long a server that has too much to do asks to be left alone.

use chrono::{DateTime, Utc};
use hyper::header::{DATE, HeaderName, RETRY_AFTER};
use hyper::{HeaderMap, StatusCode};
use std::time::Duration;

/// What an answer asks for, if it is one that may: 429 and 503. A date counts from the server's own time, where it says that, since
/// its clock may not be ours; `now` is our time.
pub(super) fn asked(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = text(DATE).and_then(date).unwrap_or(now);
    // A date that is past asks for nothing.
    Some((date(after)? - now).to_std().unwrap_or_default())
}

/// A date as HTTP has it. Its two older forms have not been sent for decades.
fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn of(status: u16, after: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(after));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        asked(StatusCode::from_u16(status).unwrap(), &headers, "2024-03-25T06:00:00Z".parse().unwrap())
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
        assert_eq!(of(429, "18446744073709551615", None), Some(Duration::MAX - Duration::from_nanos(999_999_999)));
    }
}
