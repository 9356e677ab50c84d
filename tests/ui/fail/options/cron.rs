use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline(schedule = "61 6 * * *")]
pub fn daily() {
    process(1);
}
