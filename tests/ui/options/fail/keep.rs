//! Also: how long runs are kept, in months

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(keep = "3months")]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
