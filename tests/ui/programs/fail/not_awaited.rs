//! Also: a program that is not awaited

#![deny(unused_must_use)]

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

#[task]
async fn load(ctx: Context) -> Result<()> {
    Command::new("dbt").arg("run").run(&ctx);
    Ok(())
}

fn main() {}
