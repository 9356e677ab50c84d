//! Also: a default removed with a misspelled `none`

use pipeline_runtime::prelude::*;

#[task(on_failure = nnoe)]
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
