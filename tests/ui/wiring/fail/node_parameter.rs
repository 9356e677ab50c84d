//! Also: a node as a parameter's type

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn double(rows: Node<u64>) -> Result<String> {
    Ok(format!("{rows:?}"))
}

#[pipeline]
fn nightly() {
    double(count());
}

fn main() {
    let _ = nightly();
}
