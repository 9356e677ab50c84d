//! Also: a pipeline called like a task in another one

#![deny(warnings)]

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn part() {
    count();
}

#[pipeline]
fn nightly() {
    part();
    count();
}

fn main() {
    let _ = nightly();
}
