//! Also: a callback that is called

use pipeline_runtime::prelude::*;

async fn page(n: Notification) -> Result<()> {
    println!("{}", n.name());
    Ok(())
}

#[task(on_failure = page())]
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
