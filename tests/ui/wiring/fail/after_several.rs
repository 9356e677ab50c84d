//! Also: `.after` of a list of nodes

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    let (a, b) = (count(), count());
    count().after([a, b]);
}

fn main() {
    let _ = nightly();
}
