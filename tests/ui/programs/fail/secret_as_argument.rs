//! Also: a secret as an argument of a program, where others see it

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

#[task]
async fn load(ctx: Context, password: Secret) -> Result<()> {
    Command::new("psql").arg(&password).run(&ctx).await?;
    Ok(())
}

fn main() {}
