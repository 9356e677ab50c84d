//! A process that makes one run of one no-op task, as small as a user's can be: `bench-empty` makes no run, `bench-empty memory`
//! one without a journal, `bench-empty kept JOURNAL` one with it. With a further argument it prints its peak memory, in bytes.

use pipeline_bench::stopwatch::most_resident;
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
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runner = || Runner::new().pipeline(empty(), ()).progress(Progress::Silent);
    let (runner, further) = match args.as_slice() {
        ["memory", further @ ..] => (Some(runner()), further),
        ["kept", journal, further @ ..] => (Some(runner().journal(journal)), further),
        further => (None, further),
    };
    let code = match runner.map(Runner::run) {
        None => ExitCode::SUCCESS,
        Some(Ok(finished)) => finished.exit_code(),
        Some(Err(error)) => {
            eprintln!("{error}");
            error.exit_code()
        }
    };
    if !further.is_empty() {
        println!("{}", most_resident());
    }
    code
}
