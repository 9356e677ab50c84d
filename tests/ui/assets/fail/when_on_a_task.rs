//! Also: `when` on a task

use pipeline_runtime::prelude::*;

static VISITS: Asset<u64> = Asset::external("visits");

#[task(when = all(VISITS))]
async fn build(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline]
fn visits_model() {
    build(VISITS.latest());
}

fn main() {
    let _ = visits_model();
}
