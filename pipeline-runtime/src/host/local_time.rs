//! Times as people read them, on the wall clock of a schedule's zone.

use crate::time::Zone;
use chrono::{DateTime, Utc};

/// Formats a time as `2026-03-28 06:00`, with seconds only if it has any.
pub(super) fn local_time(at: DateTime<Utc>, zone: Zone) -> String {
    let local = at.with_timezone(&zone);
    let format = if local.timestamp().rem_euclid(60) == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    local.format(format).to_string()
}

/// Like [`local_time`], with the offset: `2026-03-28 06:00 +01:00`.
pub(super) fn local_time_with_offset(at: DateTime<Utc>, zone: Zone) -> String {
    format!("{} {}", local_time(at, zone), at.with_timezone(&zone).format("%:z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_shown_only_if_there_are_any() {
        let berlin = crate::schedule::parse_zone("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(local_time(at("2026-03-28T05:00:00Z"), berlin), "2026-03-28 06:00");
        assert_eq!(local_time(at("1960-03-28T05:00:07Z"), Zone::UTC), "1960-03-28 05:00:07");
        assert_eq!(local_time_with_offset(at("2026-03-29T05:00:00Z"), berlin), "2026-03-29 07:00 +02:00");
    }
}
