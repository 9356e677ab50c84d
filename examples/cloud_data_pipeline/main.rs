//! The pipelines of exercise 2, and what it takes to try them: a mock of S3 and a demonstration.

use clap::Parser;
use pipeline_examples::cloud_data_pipeline::pipelines::{daily_export::cloud_data_pipeline, multi_bucket::multi_bucket_pipeline};
use pipeline_examples::cloud_data_pipeline::{demo, mock_s3};
use pipeline_runtime::Clock;
use std::error::Error;
use std::process::ExitCode;

/// The commands beside the pipelines'.
#[derive(Debug, Parser)]
enum Command {
    /// Makes the mock of S3 that the pipelines look at: folders and test files
    MockS3(mock_s3::Command),
    /// Runs both pipelines on mock buckets of their own, on a fast clock, while their files arrive late
    Demo(demo::Command),
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("mock-s3" | "demo") => Command::parse().run().unwrap_or_else(|error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }),
        _ => pipeline_runtime::cli::main([cloud_data_pipeline(), multi_bucket_pipeline()]),
    }
}

impl Command {
    fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        match self {
            Self::MockS3(command) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
                runtime.block_on(command.run(Clock::system(), &mut std::io::stdout()))?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Demo(command) => command.run(),
        }
    }
}
