//! Also: a run started with a value that is not params

use pipeline_runtime::prelude::*;

#[task]
async fn all_copied() -> Result<u64> {
    Ok(7)
}

#[pipeline(schedule = "@hourly")]
fn copy_dedup() {
    all_copied();
}

#[task]
async fn publish(copied: u64) -> Result<u64> {
    Ok(copied)
}

struct Client;

#[pipeline(schedule = "@hourly")]
fn report() {
    pipeline_runtime::start(copy_dedup, Client);
}

fn main() {
    let _ = (report(), copy_dedup());
}
