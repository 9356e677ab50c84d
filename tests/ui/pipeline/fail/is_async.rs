//! Row: `async` pipeline

use pipeline_runtime::prelude::*;

#[pipeline]
async fn nightly() {}

fn main() {
    let _ = nightly();
}
