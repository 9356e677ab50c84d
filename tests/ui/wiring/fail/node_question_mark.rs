//! Also: `?` on a node

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
fn nightly() -> Result<()> {
    let found = export()?;
    process(found);
    Ok(())
}

fn main() {
    let _ = nightly();
}
