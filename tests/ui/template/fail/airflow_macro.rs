//! Also: an Airflow macro

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    load(template!("raw/{{ macros.ds_add(ds, -1) }}.json"));
}

fn main() {
    let _ = nightly();
}
