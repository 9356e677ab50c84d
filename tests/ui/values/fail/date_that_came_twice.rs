//! Row: bad date

use pipeline_runtime::prelude::*;

#[pipeline(timezone = "Europe/Berlin", start = "2024-10-27T02:30")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
