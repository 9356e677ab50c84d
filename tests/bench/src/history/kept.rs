//! A binary like any user's, whose journal the group `history` fills and reads.

use pipeline_runtime::prelude::*;
use std::process::ExitCode;

#[task]
async fn extract(ctx: Context) -> Result<i64> {
    let minute = ctx.logical_date().timestamp() / 60;
    tracing::info!(minute, "extracted");
    Ok(minute)
}

/// Fails once in a hundred runs.
#[task]
async fn load(minute: i64) -> Result<()> {
    tracing::info!("loading");
    if minute % 100 == 27 { Err(TaskError::fatal("503")) } else { Ok(()) }
}

/// Runs each minute.
#[pipeline(schedule = "* * * * *", start = "2024-01-01", end = "2024-06-01")]
fn minutely() {
    load(extract());
}

fn main() -> ExitCode {
    pipeline_runtime::cli::main([minutely()])
}
