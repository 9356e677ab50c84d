//! Also: a started run in place of an output

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
    publish(pipeline_runtime::start(copy_dedup, ()));
}

fn main() {
    let _ = (report(), copy_dedup());
}
