//! Also: Airflow's `set_downstream`

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn announce(text: String) -> Result<()> {
    println!("{text}");
    Ok(())
}

#[pipeline]
fn nightly() {
    let rows = rows();
    rows.set_downstream(announce("done"));
}

fn main() {
    let _ = nightly();
}
