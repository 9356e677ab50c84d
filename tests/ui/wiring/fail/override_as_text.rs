//! Also: an override given a text, as the attribute has it

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
    process(export()).timeout("5m");
}

fn main() {
    let _ = nightly();
}
