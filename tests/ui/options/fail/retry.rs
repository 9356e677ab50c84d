//! Also: `retry` for `retries`

use pipeline_runtime::prelude::*;

#[task(retry = 3)]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
