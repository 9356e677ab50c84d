use pipeline_runtime::prelude::*;

#[task]
async fn process((a, b): (u64, u64)) -> Result<u64> {
    Ok(a + b)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process((1, 2)));
}
