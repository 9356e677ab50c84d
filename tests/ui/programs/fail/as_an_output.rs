//! Also: what came of a program as a task's output

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, Completed};

#[task]
async fn load(ctx: Context) -> Result<Completed> {
    Command::new("dbt").arg("run").run(&ctx).await
}

fn main() {}
