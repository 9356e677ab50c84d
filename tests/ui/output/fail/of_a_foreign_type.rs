//! Also: an output of a type of another crate

use pipeline_runtime::prelude::*;

#[task]
async fn now() -> Result<std::time::Instant> {
    Ok(std::time::Instant::now())
}

#[pipeline]
fn nightly() {
    now();
}

fn main() {
    let _ = nightly();
}
