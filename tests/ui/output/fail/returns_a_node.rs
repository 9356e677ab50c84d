//! Also: a task that returns a node

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn again() -> Result<Node<u64>> {
    Ok(count())
}

#[pipeline]
fn nightly() {
    again();
}

fn main() {
    let _ = nightly();
}
