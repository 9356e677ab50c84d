//! Also: an element of a node by its index

use pipeline_runtime::prelude::*;

#[task]
async fn files() -> Result<Vec<String>> {
    Ok(vec!["a.csv".to_owned()])
}

#[task]
async fn rows(file: String) -> Result<usize> {
    Ok(file.len())
}

#[pipeline]
fn nightly() {
    rows(files()[0]);
}

fn main() {
    let _ = nightly();
}
