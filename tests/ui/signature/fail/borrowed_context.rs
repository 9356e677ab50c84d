//! Also: a borrowed context

use pipeline_runtime::prelude::*;

#[task]
async fn count(ctx: &Context) -> Result<u64> {
    Ok(u64::from(ctx.attempt()))
}

#[pipeline]
fn nightly() {
    count();
}

fn main() {
    let _ = nightly();
}
