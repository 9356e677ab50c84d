//! What `check` and `serve` say of the time zones that they go by.

use super::output;
use crate::time::zone_report;

/// Says by `tell` which rules are used, and warns on stderr of old ones and of zones that could not be taken from there.
pub(super) fn say(tell: fn(&str)) {
    let zones = zone_report();
    tell(&zones.line);
    for warning in &zones.warnings {
        output::to_stderr(&format!("warning: {warning}"));
    }
}
