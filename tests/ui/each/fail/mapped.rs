//! Also: `.map` for `.each`

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
    files().map(|file| rows(file));
}

fn main() {
    let _ = nightly();
}
