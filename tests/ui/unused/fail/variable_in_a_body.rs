//! Also: a variable that a body does not use

#![deny(warnings)]

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    let rows = 7;
    Ok(1)
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
