//! Row: half-typed code: a parameter without its type

use pipeline_runtime::prelude::*;

#[task]
async fn load(rows) -> Result<u64> {
    Ok(rows)
}

#[task]
async fn archive(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(load(3u64));
}

fn main() {
    let _ = nightly();
}
