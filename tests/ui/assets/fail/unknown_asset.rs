//! Also: an asset that does not exist

use pipeline_runtime::prelude::*;

static VISITS: Asset<u64> = Asset::external("visits");

#[task]
async fn build(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline(when = all(VISIST))]
fn visits_model() {
    build(VISITS.latest());
}

fn main() {
    let _ = visits_model();
}
