//! The pipeline of exercise 5; tests kill it.

fn main() -> std::process::ExitCode {
    pipeline_runtime::cli::main([pipeline_examples::event_archive::pipeline::event_archive()])
}
