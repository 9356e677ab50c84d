//! Also: a body that forgets its `Ok(..)`

use pipeline_runtime::prelude::*;

#[task]
async fn load(rows: u64) -> Result<u64> {
    rows + 1
}

#[pipeline]
fn nightly() {
    load(3u64);
}

fn main() {
    let _ = nightly();
}
