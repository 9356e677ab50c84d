//! Also: two arguments swapped

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn names() -> Result<Vec<String>> {
    Ok(vec![])
}

#[task]
async fn publish(rows: u64, names: Vec<String>) -> Result<usize> {
    Ok(names.len() + rows as usize)
}

#[pipeline]
fn nightly() {
    publish(names(), count());
}

fn main() {
    let _ = nightly();
}
