//! Also: an argument of a program that is no text

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

#[task]
async fn load(ctx: Context, rows: u64) -> Result<()> {
    Command::new("head").args(["-n"]).arg(rows).run(&ctx).await?;
    Ok(())
}

fn main() {}
