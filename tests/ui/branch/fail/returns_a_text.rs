//! Also: Airflow's way to branch, by the name of a task

use pipeline_runtime::prelude::*;

#[branch]
async fn route(rows: u64) -> Result<String> {
    Ok(if rows > 0 { "publish" } else { "nothing" }.to_owned())
}

#[pipeline]
fn nightly() {
    route(1u64);
}

fn main() {
    let _ = nightly();
}
