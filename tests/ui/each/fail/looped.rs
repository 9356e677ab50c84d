//! Also: a `for` loop over a node

use pipeline_runtime::prelude::*;

#[task]
async fn files() -> Result<Vec<String>> {
    Ok(vec!["a.csv".to_owned()])
}

#[task]
async fn rows(file: String) -> Result<u64> {
    Ok(file.len() as u64)
}

#[pipeline]
fn nightly() {
    for file in files() {
        rows(file);
    }
}

fn main() {
    let _ = nightly();
}
