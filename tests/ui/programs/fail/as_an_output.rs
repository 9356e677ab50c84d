//! Also: a program's result as a task's output

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, Ran};

#[task]
async fn load(ctx: Context) -> Result<Ran> {
    Command::new("dbt").arg("run").run(&ctx).await
}

fn main() {}
