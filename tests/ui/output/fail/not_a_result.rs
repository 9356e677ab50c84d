//! Row: non-`Result` return

use pipeline_runtime::prelude::*;

#[task]
async fn load() -> u64 {
    3
}

#[task]
async fn archive(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(load());
}

fn main() {
    let _ = nightly();
}
