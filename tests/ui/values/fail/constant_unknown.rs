//! Also: a constant that there is not

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
