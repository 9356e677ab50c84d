//! Also: an interval of zero in `every`

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(schedule(every = "0d", from = "2024-01-31"))]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
