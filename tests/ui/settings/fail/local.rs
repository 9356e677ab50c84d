//! Also: a setting that is not a `static`

use pipeline_runtime::prelude::*;

#[task]
async fn read(limit: u64) -> Result<u64> {
    Ok(limit)
}

#[pipeline]
fn nightly() {
    let limit = Setting::new("limit", 500);
    read(&limit);
}

fn main() {
    let _ = nightly();
}
