use pipeline_runtime::prelude::*;

#[task]
async fn process<T: Clone>(n: T) -> Result<T> {
    Ok(n)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process(1));
    archive(process(None::<u64>));
}
