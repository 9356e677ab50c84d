//! Row: bad cron

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "0 0 6 * * *")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
