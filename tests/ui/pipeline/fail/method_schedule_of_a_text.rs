//! Also: a text as a schedule by method

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn hourly() {
    load();
}

fn nightly() -> Pipeline {
    hourly().schedule("0 6 * * *")
}

fn main() {
    let _ = nightly();
}
