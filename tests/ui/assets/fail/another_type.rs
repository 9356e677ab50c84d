//! Also: a node of another type than the asset that it updates

use pipeline_runtime::prelude::*;

static VISITS: Asset<u64> = Asset::new("visits");

#[task]
async fn export() -> Result<String> {
    Ok("visits/2026-01-01".into())
}

#[pipeline]
fn visits_export() {
    export().updates(&VISITS);
}

fn main() {
    let _ = visits_export();
}
