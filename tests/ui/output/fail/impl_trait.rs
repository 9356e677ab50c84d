//! Also: an `impl Trait` output

use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<impl Clone> {
    Ok(n)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process(1));
}

fn main() {
    let _ = daily();
}
