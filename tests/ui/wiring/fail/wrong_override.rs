//! Also: an override that does not exist

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
    process(export()).retrys(2);
}

fn main() {
    let _ = nightly();
}
