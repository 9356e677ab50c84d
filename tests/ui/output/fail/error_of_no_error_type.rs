//! Also: an error that cannot become a `TaskError`

use pipeline_runtime::prelude::*;

struct Broken;

#[task]
async fn load() -> Result<u64, Broken> {
    Err(Broken)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
