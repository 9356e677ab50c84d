//! Also: a `main` that drops the exit code, so that a failed run would exit with 0

#![deny(unused_must_use)]

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    rows();
}

fn main() {
    pipeline_runtime::cli::main([nightly()]);
}
