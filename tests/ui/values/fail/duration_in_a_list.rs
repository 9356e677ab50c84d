//! Also: a constant of another type in `backoff`

use pipeline_runtime::prelude::*;

const MAX: &str = "5m";

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
