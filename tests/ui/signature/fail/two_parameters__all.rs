//! Also: two wrong parameters

use pipeline_runtime::prelude::*;

#[task(retrys = 1)]
async fn process((a, b): (u64, u64), c: &str) -> Result<u64> {
    Ok(a + b + c.len() as u64)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process((1, 2), "c"));
}

fn main() {
    let _ = daily();
}
