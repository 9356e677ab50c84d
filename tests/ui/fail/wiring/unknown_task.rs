use pipeline_runtime::prelude::*;

#[task]
async fn process() -> Result<u64> {
    Ok(1)
}

#[pipeline]
pub fn daily() {
    proces();
    process();
}
