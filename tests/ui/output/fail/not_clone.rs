//! Also: an output that is not `Clone`

use pipeline_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Report {
    rows: u64,
}

#[task]
async fn count() -> Result<Report> {
    Ok(Report { rows: 1 })
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
