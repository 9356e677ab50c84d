//! A process that makes one durable run of one no-op task: `bench-empty JOURNAL`.

use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use std::process::ExitCode;

#[task]
async fn noop() -> Result<()> {
    Ok(())
}

#[pipeline]
fn empty() {
    noop();
}

fn main() -> ExitCode {
    let Some(journal) = std::env::args().nth(1) else { return ExitCode::from(2) };
    match Runner::new().pipeline(empty(), ()).journal(journal).progress(Progress::Silent).run() {
        Ok(finished) => finished.exit_code(),
        Err(error) => {
            eprintln!("{error}");
            error.exit_code()
        }
    }
}
