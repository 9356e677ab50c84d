//! Also: the last Friday as Quartz writes it

use pipeline_runtime::prelude::*;

#[pipeline(schedule = "0 0 * * 5L")]
fn nightly() {}

fn main() {
    let _ = nightly();
}
