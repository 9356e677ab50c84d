//! Also: an empty list of cron lines

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(schedule = [])]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
