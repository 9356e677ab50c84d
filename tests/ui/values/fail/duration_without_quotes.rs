//! Row: bad duration

use pipeline_runtime::prelude::*;

#[task(timeout = 10)]
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
