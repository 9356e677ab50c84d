//! Row: wrong type on an edge

use pipeline_runtime::prelude::*;

#[task]
async fn files() -> Result<Vec<String>> {
    Ok(vec!["a.csv".to_owned()])
}

#[task]
async fn rows(file: String) -> Result<u64> {
    Ok(file.len() as u64)
}

#[task]
async fn double(rows: u64) -> Result<u64> {
    Ok(rows * 2)
}

#[pipeline]
fn nightly() {
    files().each(|file| double(file));
}

fn main() {
    let _ = nightly();
}
