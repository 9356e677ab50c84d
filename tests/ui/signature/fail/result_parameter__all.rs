//! Also: a `Result` as a parameter's type

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[task]
async fn notify(rows: Result<u64>) -> Result<()> {
    rows?;
    Ok(())
}

#[pipeline]
fn nightly() {
    notify(count());
}

fn main() {
    let _ = nightly();
}
