//! Also: a template argument that is missing

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    let table = "visits";
    load(template!("raw/{{ table }}/{{ ds }}.json"));
    load(table).named("plain");
}

fn main() {
    let _ = nightly();
}
