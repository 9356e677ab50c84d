//! Row: `end` before `start`

use pipeline_runtime::prelude::*;

#[pipeline(start = "2024-02-01", end = "2024-01-01")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
