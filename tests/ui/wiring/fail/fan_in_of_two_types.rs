//! Also: a fan-in of nodes of different types

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
async fn total(rows: Vec<u64>) -> Result<u64> {
    Ok(rows.iter().sum())
}

#[pipeline]
fn nightly() {
    let found = export();
    total([process(found), found]);
}

fn main() {
    let _ = nightly();
}
