//! Row: half-typed code: a pipeline's parameter without its type

use pipeline_runtime::prelude::*;

#[task]
async fn load(region: String) -> Result<usize> {
    Ok(region.len())
}

#[pipeline]
fn nightly(options) {
    load(options);
}

fn main() {
    let _ = nightly();
}
