//! Also: `@once`

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "@once")]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
