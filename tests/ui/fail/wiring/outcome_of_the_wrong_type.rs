use pipeline_runtime::prelude::*;

#[task]
async fn process() -> Result<u64> {
    Ok(1)
}

#[task]
async fn notify(report: Outcome<String>) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    notify(process());
}
