//! Row: bad cron

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "@dayly")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
