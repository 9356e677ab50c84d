//! Also: a constant beyond the limit of its option

use pipeline_runtime::prelude::*;

const RETRIES: u32 = 5_000_000;

#[task(retries = RETRIES)]
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
