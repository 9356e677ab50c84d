//! Row: half-typed code: `#[task(retries = )]`

use pipeline_runtime::prelude::*;

#[task(retries = )]
async fn load(rows: u64) -> Result<u64> {
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
