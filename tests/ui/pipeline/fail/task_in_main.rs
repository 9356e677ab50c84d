//! Also: a task handed to `cli::main`

use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<Object> {
    Err(TaskError::skip("nothing today"))
}

#[task]
async fn process(export: Object) -> Result<u64> {
    Ok(export.size)
}


fn main() -> std::process::ExitCode {
    pipeline_runtime::cli::main([export()])
}
