//! Also: a sensor's body that returns an `Option` without `.into()`

use pipeline_runtime::prelude::*;

#[sensor]
async fn ready(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("raw/export.json").await?)
}

fn main() {}
