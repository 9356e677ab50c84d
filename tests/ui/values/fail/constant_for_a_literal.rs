//! Also: a constant where a literal is read

use pipeline_runtime::prelude::*;

const RETRIES: u32 = 3;

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
