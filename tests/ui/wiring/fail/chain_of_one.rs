//! Also: `chain` of a node, and not of several

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    chain(count());
}

fn main() {
    let _ = nightly();
}
