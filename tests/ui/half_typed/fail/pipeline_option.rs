//! Row: half-typed code: `#[pipeline(schedule = )]`

use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<Object> {
    Err(TaskError::skip("nothing today"))
}

#[task]
async fn process(export: Object) -> Result<u64> {
    Ok(export.size)
}

#[pipeline(schedule = )]
fn nightly() {
    process(export());
}

fn main() {
    let _ = nightly();
}
