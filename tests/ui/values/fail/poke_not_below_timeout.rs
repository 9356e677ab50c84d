//! Row: `poke >= timeout`

use pipeline_runtime::prelude::*;

#[sensor(poke = "10m", timeout = "10m")]
async fn ready() -> Result<Poke<u64>> {
    Ok(Poke::Ready(3))
}

#[pipeline]
fn nightly() {
    ready();
}

fn main() {
    let _ = nightly();
}
