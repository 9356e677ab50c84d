//! Also: a template argument that is unknown

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    let table = "visits";
    load(template!("raw/{{ tabel }}/{{ ds }}.json", table = table));
}

fn main() {
    let _ = nightly();
}
