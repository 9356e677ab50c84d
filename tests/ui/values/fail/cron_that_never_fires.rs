//! Also: a day that no month has

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "0 0 30 2 *")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
