//! Also: an output type that does not exist

use pipeline_runtime::prelude::*;

#[task]
async fn process() -> Result<Reprt> {
    todo!()
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
