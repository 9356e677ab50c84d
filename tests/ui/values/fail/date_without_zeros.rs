//! Row: bad date

use pipeline_runtime::prelude::*;

#[pipeline(start = "2024-1-5")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
