//! Also: nodes of several types in one array

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn title() -> Result<String> {
    Ok("visits".into())
}

#[pipeline]
fn nightly() {
    count().after([count(), title()]);
}

fn main() {
    let _ = nightly();
}
