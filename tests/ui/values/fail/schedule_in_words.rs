//! Also: a schedule in words

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "every day at 6")]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
