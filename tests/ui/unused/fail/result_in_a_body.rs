//! Also: a `Result` that a body drops

#![deny(warnings)]

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    std::fs::remove_file("old.csv");
    Ok(1)
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
