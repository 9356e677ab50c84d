use pipeline_runtime::prelude::*;

#[task]
async fn process(n: impl Into<u64>) -> Result<u64> {
    Ok(n.into())
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process(1u8));
}
