//! Also: a client moved into two tasks

use pipeline_runtime::prelude::*;

#[task]
async fn fetch(bucket: Bucket, key: String) -> Result<Object> {
    Ok(bucket.head(&key).await?.ok_or("gone")?)
}

#[pipeline]
fn nightly() -> Result<()> {
    let bucket = Bucket::open("memory://data")?;
    fetch(bucket, "a");
    fetch(bucket, "b");
    Ok(())
}

fn main() {
    let _ = nightly();
}
