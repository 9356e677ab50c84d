//! The pipelines of exercise 2, with commands to try them: a mock of S3 and a demo.

use clap::Parser;
use pipeline_examples::cloud_data_pipeline::{demo, mock_s3, pipelines};
use pipeline_runtime::Clock;
use pipeline_runtime::cli::Cli;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::new(pipelines::all())
        .command("mock-s3", mock_s3::ABOUT, |args| exit_code(run_mock_s3(args)))
        .command("demo", demo::ABOUT, |args| exit_code(run_demo(args)))
        .main()
}

fn run_mock_s3(args: Vec<OsString>) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let command = mock_s3::Command::parse_from(named("mock-s3", args));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(command.run(Clock::system(), &mut std::io::stdout()))?;
    Ok(ExitCode::SUCCESS)
}

fn run_demo(args: Vec<OsString>) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    demo::Command::parse_from(named("demo", args)).run(&mut std::io::stdout())
}

/// The arguments of a command for clap, preceded by the command's name in the help text.
fn named(command: &str, args: Vec<OsString>) -> impl Iterator<Item = OsString> {
    std::iter::once(format!("cloud_data_pipeline {command}").into()).chain(args)
}

fn exit_code(result: Result<ExitCode, Box<dyn Error + Send + Sync>>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
