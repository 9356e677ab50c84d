//! Also: `.await?` on a task in another task's body

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn doubled() -> Result<u64> {
    let rows = rows().await?;
    Ok(rows * 2)
}

#[pipeline]
fn nightly() {
    doubled();
}

fn main() {
    let _ = nightly();
}
