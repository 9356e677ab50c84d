//! The pipelines of a chain of shops, with a command that runs a week of them.

use clap::Parser;
use pipeline_examples::retail::demo;
use pipeline_examples::retail::import::nightly_import;
use pipeline_examples::retail::model::demand_model;
use pipeline_examples::retail::report::weekly_report;
use pipeline_runtime::cli::Cli;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::new([nightly_import(), demand_model(), weekly_report()])
        .command("demo", demo::ABOUT, |args: Vec<OsString>| {
            let args = std::iter::once("retail demo".into()).chain(args);
            demo::Command::parse_from(args).run(&mut std::io::stdout()).unwrap_or_else(|error| {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            })
        })
        .main()
}
