//! Also: a node in `format!`

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
async fn announce(text: String) -> Result<()> {
    println!("{text}");
    Ok(())
}

#[pipeline]
fn nightly() {
    let rows = process(export());
    announce(format!("{rows} rows"));
}

fn main() {
    let _ = nightly();
}
