//! Row: option on the wrong kind

use pipeline_runtime::prelude::*;

#[pipeline(retries = 2)]
fn nightly() {}

fn main() {
    let _ = nightly();
}
