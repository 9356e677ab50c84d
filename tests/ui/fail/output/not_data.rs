use pipeline_runtime::prelude::*;

pub struct Secret;

#[task]
async fn process() -> Result<Secret> {
    Ok(Secret)
}

#[task]
async fn archive(secret: Option<u64>) -> Result<()> {
    let _ = secret;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let secret = process();
    archive(Some(1)).after(secret);
}
