//! Row: callback of the wrong signature

use pipeline_runtime::prelude::*;

fn page(n: Notification) -> Result<()> {
    println!("{}", n.name());
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
