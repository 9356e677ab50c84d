//! Also: a template argument that is unused

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    let (table, region) = ("visits", "eu");
    load(template!("raw/{{ table }}/{{ ds }}.json", table = table, region = region));
}

fn main() {
    let _ = nightly();
}
