//! Also: `#[task]` and `#[pipeline]` on one function

use pipeline_runtime::prelude::*;

#[task]
#[pipeline]
fn nightly() {}

fn main() {
    let _ = nightly();
}
