//! The pipelines of exercise 2, for the commands of the README.

fn main() -> std::process::ExitCode {
    pipeline_runtime::cli::main(pipeline_examples::cloud_data_pipeline::pipelines::all())
}
