//! Row: generics

use pipeline_runtime::prelude::*;

#[task]
async fn load<T: Clone>(rows: T) -> Result<T> {
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
