//! Also: a template for an input that is no text

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
async fn archive(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(template!("{{ try_number }}"));
}

fn main() {
    let _ = nightly();
}
