//! Row: repeated option

use pipeline_runtime::prelude::*;

#[task(retries = 2, timeout = "5m", retries = 3)]
async fn load() -> Result<u64> {
    Ok(3)
}

fn main() {}
