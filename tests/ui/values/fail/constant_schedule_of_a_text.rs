//! Also: a text as the constant of a schedule

use pipeline_runtime::prelude::*;

const DAILY: &str = "0 6 * * *";

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(schedule = DAILY)]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
