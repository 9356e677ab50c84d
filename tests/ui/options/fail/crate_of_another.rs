//! Also: `crate` with the path of another crate

use pipeline_runtime::prelude::*;

#[pipeline(crate = serde::de, schedule = "@daily")]
fn nightly() -> Result<()> {
    Ok(())
}

fn main() {
    let _ = nightly();
}
