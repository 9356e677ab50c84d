//! Also: a parameter that the body does not use
#![deny(dead_code, unused_variables)]

use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<Object> {
    Err(TaskError::skip("nothing today"))
}

#[task]
async fn process(export: Object) -> Result<u64> {
    Ok(export.size)
}

#[task]
async fn archive(export: Object, rows: u64) -> Result<u64> {
    Ok(export.size)
}

#[pipeline]
fn nightly() {
    let found = export();
    archive(found, process(found));
}

fn main() {
    let _ = nightly();
}
