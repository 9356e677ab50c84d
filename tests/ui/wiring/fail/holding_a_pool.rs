//! Also: a group that holds a pool

use pipeline_runtime::prelude::*;

static TABLE: Pool = Pool::new("table", 1);

#[task]
async fn fill() -> Result<()> {
    Ok(())
}

#[pipeline]
fn nightly() {
    group("refresh", || fill()).holding(&TABLE);
}

fn main() {
    let _ = nightly();
}
