//! Also: a task called like a function in another task's body

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
async fn twice(export: Object) -> Result<u64> {
    let rows: u64 = process(export);
    Ok(rows * 2)
}

fn main() {}
