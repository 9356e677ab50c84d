//! Also: a lifetime parameter

use pipeline_runtime::prelude::*;

#[task]
async fn process<'a>(n: &'a str) -> Result<u64> {
    Ok(n.len() as u64)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process("x"));
}

fn main() {
    let _ = daily();
}
