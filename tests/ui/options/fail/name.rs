//! Also: `name` for `id`

use pipeline_runtime::prelude::*;

#[task(name = "rows")]
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
