//! Also: `crate` as a text

use pipeline_runtime::prelude::*;

#[task(crate = "my_facade::pipeline")]
async fn count(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline]
fn nightly() {
    count(1u64);
}

fn main() {
    let _ = nightly();
}
