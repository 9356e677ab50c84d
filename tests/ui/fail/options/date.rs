use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline(schedule = "@daily", start = "2024-02-30")]
pub fn daily() {
    process(1);
}
