//! Row: unregistered pipeline
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

#[pipeline]
fn nightly() {
    process(export());
}

#[pipeline]
fn weekly() {
    process(export());
}

fn main() {
    let _ = nightly();
}
