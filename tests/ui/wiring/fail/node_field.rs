//! Also: a field of a node

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
async fn announce(key: String) -> Result<()> {
    println!("{key}");
    Ok(())
}

#[pipeline]
fn nightly() {
    let found = export();
    announce(found.key);
}

fn main() {
    let _ = nightly();
}
