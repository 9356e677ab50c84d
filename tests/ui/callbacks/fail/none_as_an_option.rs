//! Also: a default removed with `None`

use pipeline_runtime::prelude::*;

#[task(on_failure = None)]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
