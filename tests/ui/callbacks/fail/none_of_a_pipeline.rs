//! Also: `none` on a pipeline, which inherits no callbacks

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(on_failure = none)]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
