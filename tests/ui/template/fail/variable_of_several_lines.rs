//! Row: unknown template variable

use pipeline_runtime::prelude::*;

#[task]
async fn load(key: String) -> Result<usize> {
    Ok(key.len())
}

#[pipeline]
fn nightly() {
    load(template!("SELECT *
FROM exports
WHERE day = '{{ dss }}'"));
}

fn main() {
    let _ = nightly();
}
