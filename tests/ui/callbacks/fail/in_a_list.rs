//! Also: a callback of the wrong signature in a list

use pipeline_runtime::prelude::*;

pub async fn page(_: Notification) -> Result<()> {
    Ok(())
}

#[task(on_failure = [page, 3])]
async fn process(n: u64) -> Result<u64> {
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
