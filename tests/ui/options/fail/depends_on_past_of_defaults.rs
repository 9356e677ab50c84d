//! Also: `depends_on_past` among the defaults of a pipeline's nodes

use pipeline_runtime::prelude::*;

#[task]
async fn count() -> Result<u64> {
    Ok(1)
}

#[pipeline(defaults(depends_on_past = true))]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
