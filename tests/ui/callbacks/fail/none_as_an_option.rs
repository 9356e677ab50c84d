//! Also: a default taken away as Rust spells it

use pipeline_runtime::prelude::*;

#[task(on_failure = None)]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
