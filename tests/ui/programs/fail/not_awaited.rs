//! Also: a program that nobody waits for

#![deny(unused_must_use)]

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

#[task]
async fn load(ctx: Context) -> Result<()> {
    Command::new("dbt").arg("run").run(&ctx);
    Ok(())
}

fn main() {}
