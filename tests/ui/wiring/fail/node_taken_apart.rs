//! Also: a node of a tuple taken apart

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
async fn count() -> Result<(u64, String)> {
    Ok((1, String::new()))
}

#[pipeline]
fn nightly() {
    let (_rows, text) = count();
    announce(text);
}

fn main() {
    let _ = nightly();
}
