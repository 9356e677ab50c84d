//! Also: an asset's value where a task takes another type

use pipeline_runtime::prelude::*;

static VISITS: Asset<u64> = Asset::external("visits");

#[task]
async fn build(folder: String) -> Result<usize> {
    Ok(folder.len())
}

#[pipeline(when = all(VISITS))]
fn visits_model() {
    build(VISITS.latest());
}

fn main() {
    let _ = visits_model();
}
