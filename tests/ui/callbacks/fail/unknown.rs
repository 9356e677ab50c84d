//! Also: a callback that does not exist

use pipeline_runtime::prelude::*;

async fn page(n: Notification) -> Result<()> {
    println!("{}", n.name());
    Ok(())
}

#[task(on_failure = pagee)]
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
