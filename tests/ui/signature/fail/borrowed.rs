//! Row: borrowed parameters

use pipeline_runtime::prelude::*;

#[task]
async fn load(name: &str) -> Result<usize> {
    Ok(name.len())
}

#[pipeline]
fn nightly() {
    load("eu");
}

fn main() {
    let _ = nightly();
}
