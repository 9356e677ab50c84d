//! Also: an output of another pipeline, of another type

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

#[task]
async fn name() -> Result<String> {
    Ok("a".into())
}

#[pipeline(schedule = "@hourly")]
fn report() {
    publish(run_of(copy_dedup).output::<name>());
}

fn main() {
    let _ = (report(), copy_dedup());
}
