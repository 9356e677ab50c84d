//! Also: `default_args`

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(default_args(retries = 1))]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
