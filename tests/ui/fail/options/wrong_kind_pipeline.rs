use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline(retries = 2)]
pub fn daily() {
    process(1);
}
