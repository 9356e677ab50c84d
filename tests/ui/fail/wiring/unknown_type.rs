use pipeline_runtime::prelude::*;

#[task]
async fn archive(report: Reprt) -> Result<()> {
    let _ = report;
    Ok(())
}

#[task]
async fn process() -> Result<u64> {
    Ok(1)
}

#[pipeline]
pub fn daily() {
    archive(process());
}
