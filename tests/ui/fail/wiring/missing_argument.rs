use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<u64> {
    Ok(1)
}

#[task]
async fn archive(report: u64, name: String) -> Result<()> {
    let _ = (report, name);
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(export());
}
