//! What `check` and `serve` print about time zones.

use super::output;
use crate::time::zone_report;

/// Prints with `tell` which time zone rules are used. Warns on stderr of old rules and of zones that are missing from them.
pub(super) fn say(tell: fn(&str)) {
    let zones = zone_report();
    tell(&zones.line);
    for warning in &zones.warnings {
        output::to_stderr(&format!("warning: {warning}"));
    }
}
