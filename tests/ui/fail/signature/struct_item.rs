use pipeline_runtime::prelude::*;

#[task]
pub struct Process {
    pub n: u64,
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(Process { n: 1 }.n);
}
