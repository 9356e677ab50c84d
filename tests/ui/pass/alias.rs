use pipeline_runtime::prelude::*;

type Answer = Result<u64>;

#[task]
async fn process() -> Answer {
    Ok(1)
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
