//! The arrival time of what a sensor found: `last_modified` in its output.

use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A longer output is not parsed for it.
const MAX_BYTES: usize = 256 << 10;

/// An object of a bucket, or anything else with a modification time; of several the last counts, since the sensor waited for that
/// one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SensorOutput {
    One { last_modified: DateTime<Utc> },
    Many(Vec<Self>),
}

impl SensorOutput {
    fn last(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::One { last_modified } => Some(*last_modified),
            Self::Many(all) => all.iter().filter_map(Self::last).max(),
        }
    }
}

/// Returns the arrival time; `None` if the output has none.
pub(super) fn of(output: &[u8]) -> Option<Timestamp> {
    let found: SensorOutput = (output.len() <= MAX_BYTES).then(|| serde_json::from_slice(output).ok())??;
    found.last().map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Object;

    #[test]
    fn an_output_says_when_it_arrived_or_does_not() {
        let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let object = |text| Object::new("lake", "raw/a", 3, date(text));
        let arrival = |output: serde_json::Value| of(output.to_string().as_bytes()).map(Timestamp::to_utc);
        let (first, last) = (object("2026-01-05T06:00:00Z"), object("2026-01-05T06:00:01.25Z"));
        assert_eq!(arrival(serde_json::to_value(&first).unwrap()), Some(first.last_modified));
        // Of several it is the last; the rest of the output does not matter.
        assert_eq!(arrival(serde_json::to_value([&last, &first]).unwrap()), Some(last.last_modified));
        let other = serde_json::json!({ "name": "a", "last_modified": "2026-01-05T08:00:00+02:00", "lines": [1] });
        assert_eq!(arrival(other), Some(date("2026-01-05T06:00:00Z")));
        for none in ["\"raw/a\"", "null", "[]", "[1]", "{}", "{\"last_modified\":\"soon\"}", "3", "{"] {
            assert_eq!(of(none.as_bytes()), None, "{none}");
        }
    }
}
