//! A binary like any user's, whose journal the groups `history` and `dashboard` fill and read.

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

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Width {
    elements: u32,
}

impl Default for Width {
    fn default() -> Self {
        Self { elements: 100_000 }
    }
}

#[task]
async fn list(elements: u32) -> Result<Vec<u32>> {
    Ok((0..elements).collect())
}

#[task]
async fn upload(element: u32) -> Result<u32> {
    Ok(element)
}

/// One run of very many nodes.
#[pipeline]
fn wide(width: Width) {
    list(width.elements).each(upload);
}

/// The file never arrives.
#[sensor(poke = "1h", timeout = "7d")]
async fn arrival(ctx: Context) -> Result<Poke<i64>> {
    tracing::debug!("{} is not there", ctx.logical_date());
    Ok(Poke::NotYet)
}

/// Starts a waiting run each minute.
#[pipeline(schedule = "* * * * *", start = "2024-01-01", end = "2024-06-01")]
fn waiting() {
    load(arrival());
}

fn main() -> ExitCode {
    pipeline_runtime::cli::main([minutely(), wide(), waiting()])
}
