//! Also: an async block wired like a node

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn publish(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline]
fn nightly() {
    let rows = async { count() };
    publish(rows);
}

fn main() {
    let _ = nightly();
}
