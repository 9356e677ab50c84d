//! Also: `tz` for `timezone`

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "@daily", tz = "Europe/Berlin")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
