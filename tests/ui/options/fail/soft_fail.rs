//! Also: `soft_fail` on a task

use pipeline_runtime::prelude::*;

#[task(soft_fail = true)]
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
