//! Also: a constant in `backoff`

use pipeline_runtime::prelude::*;

#[task(backoff(start = "30s", max = MAX))]
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
