//! Also: a sensor that returns an `Option`

use pipeline_runtime::prelude::*;

#[sensor]
async fn found() -> Result<Option<u64>> {
    Ok(None)
}

#[pipeline]
fn nightly() {
    found();
}

fn main() {
    let _ = nightly();
}
