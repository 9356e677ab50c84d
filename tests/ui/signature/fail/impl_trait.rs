//! Row: `impl Trait` parameters

use pipeline_runtime::prelude::*;

#[task]
async fn load(name: impl Into<String>) -> Result<String> {
    Ok(name.into())
}

#[pipeline]
fn nightly() {
    load("eu");
}

fn main() {
    let _ = nightly();
}
