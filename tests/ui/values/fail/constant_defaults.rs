//! Row: unknown option, in shared defaults

use pipeline_runtime::prelude::*;

const TEAM: Defaults = defaults!(retrys = 2);

#[task]
async fn load() -> Result<u64> {
    Ok(3)
}

#[pipeline(defaults = TEAM)]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
