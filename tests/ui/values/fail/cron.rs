//! Row: bad cron

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "61 6 * * *")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
