//! Also: a pool made in place

use pipeline_runtime::prelude::*;

#[task(pool = Pool::new("s3", 4))]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
