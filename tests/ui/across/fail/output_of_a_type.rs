//! Also: an output of a type that is no task

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

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Rows(u64);

#[pipeline(schedule = "@hourly")]
fn report() {
    publish(run_of(copy_dedup).output::<Rows>());
}

fn main() {
    let _ = (report(), copy_dedup());
}
