use pipeline_runtime::prelude::*;

#[task]
async fn orphan() -> Result<u64> {
    Ok(1)
}
