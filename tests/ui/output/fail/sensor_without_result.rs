//! Also: a sensor that returns `Poke<T>` without a `Result`

use pipeline_runtime::prelude::*;

#[sensor]
async fn ready() -> Poke<u64> {
    Poke::Ready(3)
}

#[pipeline]
fn nightly() {
    ready();
}

fn main() {
    let _ = nightly();
}
