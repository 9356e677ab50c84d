//! Also: an alias that is no `Result`

use pipeline_runtime::prelude::*;

type Answer = u64;

#[task]
async fn process() -> Answer {
    1
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process());
}

fn main() {
    let _ = daily();
}
