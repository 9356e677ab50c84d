use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<u64> {
    Ok(1)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(export(), "name");
}
