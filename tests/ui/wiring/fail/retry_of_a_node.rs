//! Also: `.retry` for `.retries`

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    count().retry(3);
}

fn main() {
    let _ = nightly();
}
