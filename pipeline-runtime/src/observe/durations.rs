//! Durations and counts in a form for people.

use humantime::format_duration;
use std::time::Duration;

/// Formats a duration for people: `120ms`, `4.5s`, `45s`, `7m 30s`.
pub(crate) fn brief(duration: Duration) -> String {
    match duration {
        d if d < Duration::from_secs(1) => format!("{}ms", d.as_millis()),
        d if d < Duration::from_mins(1) => format!("{:.1}", d.as_secs_f64()).trim_end_matches(".0").to_owned() + "s",
        d => whole(d),
    }
}

fn whole(duration: Duration) -> String {
    format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

/// Formats a time since a run's start: `12.3s`, `7m 30s`.
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) fn offset(at: Duration) -> String {
    if at < Duration::from_mins(1) { format!("{:.1}s", at.as_secs_f64()) } else { brief(at) }
}

/// Returns the given percentile of sorted durations.
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    sorted.get((sorted.len().saturating_sub(1) * percent).div_ceil(100)).copied()
}

/// Milliseconds, with fractions down to a microsecond.
#[cfg(any(feature = "cli", feature = "dashboard"))]
#[expect(clippy::cast_precision_loss, reason = "beyond 285 years")]
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

/// Returns the plural ending of a noun after a number.
pub(crate) fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_short_as_they_are_clear() {
        let said = |millis| brief(Duration::from_millis(millis));
        assert_eq!([said(0), said(120), said(4500), said(45_000), said(59_960)], ["0ms", "120ms", "4.5s", "45s", "60s"]);
        assert_eq!(said(450_300), "7m 30s");
    }
}
