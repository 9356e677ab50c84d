//! Row: option on the wrong kind

use pipeline_runtime::prelude::*;

#[task(poke = "45s")]
async fn load() -> Result<u64> {
    Ok(3)
}

fn main() {}
