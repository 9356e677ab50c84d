//! Row: backoff whose start exceeds its max

use pipeline_runtime::prelude::*;

#[task(backoff(start = "10m", max = "5m"))]
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
