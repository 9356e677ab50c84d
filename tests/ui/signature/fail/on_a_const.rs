//! Also: `#[task]` on a const

use pipeline_runtime::prelude::*;

#[task]
const PROCESS: u64 = 1;

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(PROCESS);
}

fn main() {
    let _ = daily();
}
