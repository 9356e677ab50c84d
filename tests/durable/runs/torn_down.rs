//! A machine that is set up, used and deleted; each body leaves a trace, and hangs for as long as there is a file that says so.

use super::effect;
use pipeline_runtime::prelude::*;

async fn hang(name: &str) -> Result<()> {
    if std::fs::exists(format!("data-bucket/{name}"))? {
        println!("it hangs");
        std::future::pending::<()>().await;
    }
    Ok(())
}

#[task]
async fn machine(ctx: Context) -> Result<u64> {
    effect(&ctx)?;
    Ok(7)
}

#[task]
async fn train(ctx: Context, machine: u64) -> Result<u64> {
    effect(&ctx)?;
    hang("hang").await?;
    Ok(machine)
}

#[task]
async fn score(ctx: Context, n: u64) -> Result<u64> {
    effect(&ctx)?;
    Ok(n)
}

#[task]
async fn delete(ctx: Context, machine: u64) -> Result<()> {
    effect(&ctx)?;
    hang("hang_delete").await?;
    super::note(&format!("deleted {machine}"))
}

#[pipeline]
pub(super) fn torn_down() {
    machine().teardown(delete, |machine| score(train(machine)));
}
