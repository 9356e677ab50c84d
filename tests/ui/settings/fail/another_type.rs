//! Also: a setting of another type than the input that takes it

use pipeline_runtime::prelude::*;

static LIMIT: Setting<u64> = Setting::new("limit", 500);

#[task]
async fn list(folder: String) -> Result<usize> {
    Ok(folder.len())
}

#[pipeline]
fn nightly() {
    list(&LIMIT);
}

fn main() {
    let _ = nightly();
}
