//! Also: an offset of another type

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

#[pipeline(schedule = "@hourly")]
fn report() {
    run_of(copy_dedup).at(|interval| interval);
}

fn main() {
    let _ = (report(), copy_dedup());
}
