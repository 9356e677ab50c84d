//! Row: callback of the wrong signature

use pipeline_runtime::prelude::*;

const CHANNEL: &str = "#alerts";

#[pipeline(on_failure = CHANNEL)]
fn nightly() {}

fn main() {
    let _ = nightly();
}
