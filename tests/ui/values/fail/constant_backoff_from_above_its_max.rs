//! Also: constants of a backoff that shrinks

use pipeline_runtime::prelude::*;
use std::time::Duration;

const MAX: Duration = Duration::from_secs(10);

#[task(backoff(start = "30s", max = MAX))]
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
