//! Also: `#[task]` twice

use pipeline_runtime::prelude::*;

#[task(retries = 2)]
#[task(timeout = "10m")]
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
