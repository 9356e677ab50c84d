//! Also: `:` for `=`

use pipeline_runtime::prelude::*;

#[task(retries: 2)]
async fn load() -> Result<u64> {
    Ok(3)
}

fn main() {}
