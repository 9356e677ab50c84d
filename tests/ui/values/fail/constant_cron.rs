//! Row: a cron line, in a constant

use pipeline_runtime::prelude::*;

const DAILY: Cron = cron!("0 24 * * *");

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
