//! Also: a truth value in quotes

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "@daily", catchup = "false")]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
