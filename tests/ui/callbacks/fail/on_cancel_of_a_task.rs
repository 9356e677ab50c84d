//! Also: a cancel, which is the run's

use pipeline_runtime::prelude::*;

async fn page(n: Notification) -> Result<()> {
    println!("{}", n.name());
    Ok(())
}

#[task(on_cancel = page)]
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
