//! Row: wrong type on an edge

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
async fn archive(rows: u64, note: String) -> Result<()> {
    println!("{rows} {note}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(export(), "of today");
}

fn main() {
    let _ = nightly();
}
