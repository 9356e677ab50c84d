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
