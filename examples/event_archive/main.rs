//! The pipeline of exercise 5, with commands to try it.

use clap::Parser;
use pipeline_examples::event_archive::pipeline::event_archive;
use pipeline_examples::event_archive::{demo, seed};
use pipeline_runtime::cli::Cli;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::new([event_archive()])
        .command("seed", seed::ABOUT, |args| exit_code(run_seed(args)))
        .command("demo", demo::ABOUT, |args| {
            exit_code(demo::Command::parse_from(named("demo", args)).run(&mut std::io::stdout()))
        })
        .main()
}

fn run_seed(args: Vec<OsString>) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let command = seed::Command::parse_from(named("seed", args));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command.run(&mut std::io::stdout()))?;
    Ok(ExitCode::SUCCESS)
}

/// The arguments of a command for clap, preceded by the command's name in the help text.
fn named(command: &str, args: Vec<OsString>) -> impl Iterator<Item = OsString> {
    std::iter::once(format!("event_archive {command}").into()).chain(args)
}

fn exit_code(result: Result<ExitCode, Box<dyn Error + Send + Sync>>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
