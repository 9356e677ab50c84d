//! Also: a name that looks like an automatic id

use pipeline_runtime::prelude::*;

#[task]
async fn process__2(n: u64) -> Result<u64> {
    Ok(n)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process__2(1));
}

fn main() {
    let _ = daily();
}
