//! Also: a day that none of the months has

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "0 0 30 2 *")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
