use pipeline_runtime::prelude::*;

pub struct Store;

impl Store {
    #[task]
    pub async fn process(&self, n: u64) -> Result<u64> {
        Ok(n)
    }
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(1);
}
