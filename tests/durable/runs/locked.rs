//! Groups of two pipelines that share a lock.

use super::effect;
use pipeline_runtime::Lock;
use pipeline_runtime::prelude::*;

static TABLE: Lock = Lock::new("table");

#[task]
async fn enter(ctx: Context) -> Result<u64> {
    effect(&ctx)?;
    Ok(1)
}

/// Hangs while a file requests it.
#[task]
async fn leave(ctx: Context, n: u64) -> Result<u64> {
    if std::fs::exists("data-bucket/hang")? {
        println!("it hangs");
        std::future::pending::<()>().await;
    }
    effect(&ctx)?;
    Ok(n)
}

#[pipeline]
pub(super) fn locked() {
    group("g", || leave(enter())).holding(&TABLE);
}

#[pipeline]
pub(super) fn locked_too() {
    group("g", || leave(enter())).holding(&TABLE);
}
