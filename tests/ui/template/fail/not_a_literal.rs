//! Also: a template that is no literal

use pipeline_runtime::prelude::*;

const KEY: &str = "raw/{{ ds }}.json";

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    load(template!(KEY));
}

fn main() {
    let _ = nightly();
}
