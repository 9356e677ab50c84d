//! Also: `depends_on_past` on a task

use pipeline_runtime::prelude::*;

#[task(depends_on_past = true)]
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
