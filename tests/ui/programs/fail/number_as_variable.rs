//! Also: a variable of a program's environment that is no text

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

#[task]
async fn load(ctx: Context, rows: u64) -> Result<()> {
    Command::new("dbt").arg("run").env("ROWS", rows).run(&ctx).await?;
    Ok(())
}

fn main() {}
