//! What `check` and `serve` print about time zones.

use super::output;
use crate::time::zone_report;

/// Prints with `print_line` which time zone rules are used. Warns on stderr of old rules and of zones that are missing from them.
pub(super) fn print(print_line: fn(&str)) {
    let zones = zone_report();
    print_line(&zones.line);
    for warning in &zones.warnings {
        output::to_stderr(&format!("warning: {warning}"));
    }
}
