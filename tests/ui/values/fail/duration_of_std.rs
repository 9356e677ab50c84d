//! Also: a `Duration` where a text is read

use pipeline_runtime::prelude::*;

use std::time::Duration;

#[task(timeout = Duration::from_secs(10))]
async fn count() -> Result<u64> {
    Ok(Duration::from_secs(1).as_secs())
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
