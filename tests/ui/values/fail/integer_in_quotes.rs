//! Row: bad integer

use pipeline_runtime::prelude::*;

#[task(retries = "2")]
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
