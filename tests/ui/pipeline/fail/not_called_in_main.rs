//! Also: a pipeline handed over without `()`

use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<Object> {
    Err(TaskError::skip("nothing today"))
}

#[task]
async fn process(export: Object) -> Result<u64> {
    Ok(export.size)
}

#[pipeline]
fn nightly() {
    process(export());
}

fn main() -> std::process::ExitCode {
    pipeline_runtime::cli::main([nightly])
}
