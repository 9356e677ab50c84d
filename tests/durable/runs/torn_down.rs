//! A machine that is set up, used and deleted. Each body writes to the file of side effects, and hangs while a file requests it.

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
