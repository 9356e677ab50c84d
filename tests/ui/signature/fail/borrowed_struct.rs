//! Row: borrowed parameters

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
async fn archive(export: &Object) -> Result<u64> {
    Ok(export.size)
}

#[pipeline]
fn nightly() {
    archive(export());
}

fn main() {
    let _ = nightly();
}
