//! Also: a comma left out between options

use pipeline_runtime::prelude::*;

#[task(retries = 2 timeout = "5m")]
async fn load() -> Result<u64> {
    Ok(3)
}

fn main() {}
