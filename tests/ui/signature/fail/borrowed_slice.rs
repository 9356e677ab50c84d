//! Also: a borrowed slice

use pipeline_runtime::prelude::*;

#[task]
async fn process(n: Vec<&[u8]>) -> Result<u64> {
    Ok(n.len() as u64)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process(vec![]));
}

fn main() {
    let _ = daily();
}
