use pipeline_runtime::prelude::*;

#[task]
async fn process() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn daily() {
    process();
}
