//! Row: unknown option

use pipeline_runtime::prelude::*;

#[task(retrys = 2)]
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
