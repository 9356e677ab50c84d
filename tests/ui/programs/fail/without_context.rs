//! Also: a program that is run without the attempt's context

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;

#[task]
async fn load() -> Result<()> {
    Command::new("dbt").arg("run").run().await?;
    Ok(())
}

fn main() {}
