//! Also: `{ds}`, as `format!` has it

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    load(template!("raw/{ds_nodash}.json"));
}

fn main() {
    let _ = nightly();
}
