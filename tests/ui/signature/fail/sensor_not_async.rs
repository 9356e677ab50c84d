//! Also: a sensor that is not `async`

use pipeline_runtime::prelude::*;

#[sensor]
fn ready() -> Result<Poke<u64>> {
    Ok(Poke::Ready(1))
}

#[pipeline]
fn nightly() {
    ready();
}

fn main() {
    let _ = nightly();
}
