//! Also: `.split()` of a node that is not a tuple

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    rows().split();
}

fn main() {
    let _ = nightly();
}
