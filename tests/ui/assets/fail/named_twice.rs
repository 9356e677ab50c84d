//! Also: an asset that is named twice

use pipeline_runtime::prelude::*;

static VISITS: Asset<u64> = Asset::external("visits");

#[task]
async fn build(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline(when = all(VISITS, VISITS))]
fn visits_model() {
    build(VISITS.latest());
}

fn main() {
    let _ = visits_model();
}
