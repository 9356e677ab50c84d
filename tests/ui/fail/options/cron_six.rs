use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline(schedule = "0 0 6 * * *")]
pub fn daily() {
    process(1);
}
