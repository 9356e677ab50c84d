//! Row: pool that is no pool

use pipeline_runtime::prelude::*;

static SLOTS: u32 = 4;

#[task(pool = SLOTS)]
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
