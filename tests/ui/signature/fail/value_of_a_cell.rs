//! Also: a value that is not `Sync`

use pipeline_runtime::prelude::*;
use std::cell::Cell;

#[task]
async fn load(limit: Cell<u64>) -> Result<u64> {
    Ok(limit.get())
}

#[pipeline]
fn nightly() {
    load(Cell::new(1));
}

fn main() {
    let _ = nightly();
}
