//! Also: days and hours in one distance

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(schedule(every = "1d 12h", from = "2024-01-31"))]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
