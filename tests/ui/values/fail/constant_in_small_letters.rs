//! Also: a word without its quotes

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(schedule = daily)]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
