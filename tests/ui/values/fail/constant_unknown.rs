//! Also: a constant that does not exist

use pipeline_runtime::prelude::*;

#[task(retries = RETRYS)]
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
