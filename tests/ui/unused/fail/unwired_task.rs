//! Row: unwired task
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
async fn forgotten(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline]
fn nightly() {
    process(export());
}

fn main() {
    let _ = nightly();
}
