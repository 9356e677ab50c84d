//! Also: an `Option<T>` input given a node of another type

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
async fn maybe(rows: Option<u64>) -> Result<()> {
    println!("{rows:?}");
    Ok(())
}

#[pipeline]
fn nightly() {
    maybe(export());
}

fn main() {
    let _ = nightly();
}
