//! Row: bad time zone

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "0 6 * * *", timezone = "Berlin")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
