//! Also: a constant of another type than the option's

use pipeline_runtime::prelude::*;

const RETRIES: &str = "3";

#[task(retries = RETRIES)]
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
