//! Also: a constant of zero for a limit

use pipeline_runtime::prelude::*;
use std::time::Duration;

const LIMIT: Duration = Duration::ZERO;

#[task(timeout = LIMIT)]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
