//! Also: `every` without `from`

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(schedule(every = "4w"))]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
