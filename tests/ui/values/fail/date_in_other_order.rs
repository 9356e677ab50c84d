//! Row: bad date

use pipeline_runtime::prelude::*;

#[pipeline(start = "31.01.2024")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
