//! Also: an output that borrows

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<&str> {
    Ok("eu")
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
