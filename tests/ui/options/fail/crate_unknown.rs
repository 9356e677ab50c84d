//! Also: `crate` with a path that leads nowhere

use pipeline_runtime::prelude::*;

#[sensor(crate = my_facade::pipeline, poke = "5s")]
async fn export(key: String) -> Result<Poke<u64>> {
    Ok(Poke::Ready(key.len() as u64))
}

#[pipeline]
fn nightly() {
    export("today");
}

fn main() {
    let _ = nightly();
}
