//! Also: `schedule_interval`

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule_interval = "@daily")]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
