//! Also: a template of a file that is not there

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    load(template!(file = "sql/load.sql"));
}

fn main() {
    let _ = nightly();
}
