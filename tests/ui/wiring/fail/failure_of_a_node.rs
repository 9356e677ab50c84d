//! Also: a node wired where its failure is meant

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
async fn repair(failure: Failure) -> Result<()> {
    println!("{}", failure.error());
    Ok(())
}

#[pipeline]
fn nightly() {
    repair(export());
}

fn main() {
    let _ = nightly();
}
