//! Row: `poke` with `backoff`

use pipeline_runtime::prelude::*;

#[sensor(poke = "45s", backoff(start = "30s", max = "5m"))]
async fn ready() -> Result<Poke<u64>> {
    Ok(Poke::Ready(3))
}

fn main() {}
