//! Also: a type that does not exist

use pipeline_runtime::prelude::*;

#[task]
async fn load(rows: Rows) -> Result<u64> {
    Ok(rows.count)
}

#[pipeline]
fn nightly() {
    load(3u64);
}

fn main() {
    let _ = nightly();
}
