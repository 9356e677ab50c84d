use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Object;
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Report;

#[task]
async fn export() -> Result<Object> {
    Ok(Object)
}

#[task]
async fn archive(report: Report) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(export());
}
