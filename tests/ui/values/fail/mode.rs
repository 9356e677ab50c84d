//! Row: bad mode

use pipeline_runtime::prelude::*;

#[sensor(mode = "rescheduled")]
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
