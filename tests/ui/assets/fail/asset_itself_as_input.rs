//! Also: an asset itself where a task takes its value

use pipeline_runtime::prelude::*;

static VISITS: Asset<u64> = Asset::external("visits");

#[task]
async fn build(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline(when = all(VISITS))]
fn visits_model() {
    build(&VISITS);
}

fn main() {
    let _ = visits_model();
}
