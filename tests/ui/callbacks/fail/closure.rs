//! Also: a closure as a callback

use pipeline_runtime::prelude::*;

#[task(on_failure = |n| async move { Ok(()) })]
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
