//! Also: an input of a type of another crate that is not `Clone`

use pipeline_runtime::prelude::*;
use std::fs::File;

#[task]
async fn load(file: File) -> Result<u64> {
    Ok(file.metadata()?.len())
}

#[pipeline]
fn nightly() -> Result<()> {
    load(File::open("a.csv")?);
    Ok(())
}

fn main() {
    let _ = nightly();
}
