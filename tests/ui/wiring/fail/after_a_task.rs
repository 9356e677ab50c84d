//! Also: `.after` of a task that was not called

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn load() -> Result<()> {
    Ok(())
}

#[pipeline]
fn nightly() {
    load().after([count, count]);
}

fn main() {
    let _ = nightly();
}
