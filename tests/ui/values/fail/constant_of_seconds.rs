//! Also: a number of seconds for a duration

use pipeline_runtime::prelude::*;

const LIMIT: u64 = 600;

#[task(timeout = LIMIT)]
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
