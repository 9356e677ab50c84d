//! Also: `group` of a node, and not of a closure

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    group("load", count());
}

fn main() {
    let _ = nightly();
}
