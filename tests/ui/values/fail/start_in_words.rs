//! Also: a start in words

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "@daily", start = "yesterday")]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
