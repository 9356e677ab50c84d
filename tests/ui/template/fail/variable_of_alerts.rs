//! Also: an alert's variable in a template

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    load(template!("raw/{{ ds }}/{{ error }}.json"));
}

fn main() {
    let _ = nightly();
}
