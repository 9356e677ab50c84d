//! Row: callback of the wrong signature

use pipeline_runtime::prelude::*;

async fn page(message: String) -> Result<()> {
    println!("{message}");
    Ok(())
}

#[task(on_failure = page)]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
