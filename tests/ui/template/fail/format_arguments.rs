//! Also: a template with `format!`'s arguments

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<u64> {
    Ok(key.len() as u64)
}

#[pipeline]
fn nightly() {
    let region = "eu";
    load(template!("raw/{}/{{ ds }}.json", region));
}

fn main() {
    let _ = nightly();
}
