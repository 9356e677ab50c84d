//! Row: wrong type on an edge

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
    process("raw/export.json");
}

fn main() {
    let _ = nightly();
}
