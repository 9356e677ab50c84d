//! Also: a constant of no length where a limit is wanted

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
