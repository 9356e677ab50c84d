use pipeline_runtime::prelude::*;

#[task]
async fn clean() {}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let done = clean();
    archive(done);
}
