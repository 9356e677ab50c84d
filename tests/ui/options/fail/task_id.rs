//! Also: `task_id`

use pipeline_runtime::prelude::*;

#[task(task_id = "count_rows")]
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
