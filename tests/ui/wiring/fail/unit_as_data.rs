//! Row: a `()` task wired as data

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
async fn clean_up() -> Result<()> {
    Ok(())
}

#[pipeline]
fn nightly() {
    process(clean_up());
}

fn main() {
    let _ = nightly();
}
