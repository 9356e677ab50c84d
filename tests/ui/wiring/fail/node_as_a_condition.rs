//! Also: a decision on a node of a `bool`

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn announce(text: String) -> Result<()> {
    println!("{text}");
    Ok(())
}

#[task]
async fn is_holiday() -> Result<bool> {
    Ok(false)
}

#[pipeline]
fn nightly() {
    if is_holiday() {
        announce("closed");
    }
}

fn main() {
    let _ = nightly();
}
