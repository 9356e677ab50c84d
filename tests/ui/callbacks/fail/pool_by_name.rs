//! Also: a pool by its name

use pipeline_runtime::prelude::*;

#[task(pool = "s3")]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
