//! Also: `.after` of a number

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    count().after(5);
}

fn main() {
    let _ = nightly();
}
