//! Also: a path that does not lead to an asset

use pipeline_runtime::prelude::*;

static S3: Pool = Pool::new("s3", 4);

#[task]
async fn build() -> Result<u64> {
    Ok(1)
}

#[pipeline(when = all(S3))]
fn visits_model() {
    build();
}

fn main() {
    let _ = visits_model();
}
