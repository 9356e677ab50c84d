//! Also: a value without its option

use pipeline_runtime::prelude::*;

#[task("10m")]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
