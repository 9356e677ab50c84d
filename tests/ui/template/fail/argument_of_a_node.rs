//! Also: a node given to a template

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[task]
async fn table() -> Result<String> {
    Ok("visits".to_owned())
}

#[pipeline]
fn nightly() {
    load(template!("raw/{{ table }}/{{ ds }}.json", table = table()));
}

fn main() {
    let _ = nightly();
}
