//! Row: bad date

use pipeline_runtime::prelude::*;

#[pipeline(start = "2024-02-30")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
