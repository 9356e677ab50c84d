//! Also: Airflow's `set_upstream`

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn announce(what: String) -> Result<()> {
    println!("{what}");
    Ok(())
}

#[pipeline]
fn nightly() {
    announce("done").set_upstream(rows());
}

fn main() {
    let _ = nightly();
}
