//! A binary with invalid pipelines, for tests of their errors.

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u32> {
    Ok(1)
}

#[task]
async fn load(rows: u32) -> Result<u32> {
    Ok(rows)
}

/// Two nodes with one name, in two places.
#[pipeline]
fn doubled() {
    let a = rows().named("rows");
    load(a).named("rows");
    load(a).named("");
}

/// Has no nodes.
#[pipeline]
fn empty() {}

/// Returns an error instead of a plan.
#[pipeline]
fn broken() -> Result<()> {
    rows();
    Err("the region is unknown".into())
}

/// Is valid.
#[pipeline]
fn sound() {
    load(rows());
}

static NARROW: Pool = Pool::new("warehouse", 2);
static WIDE: Pool = Pool::new("warehouse", 4);

/// Shares a pool's name with the next pipeline, but not its number of slots.
#[pipeline]
fn narrow() {
    rows().pool(&NARROW);
}

#[pipeline]
fn wide() {
    rows().pool(&WIDE);
}

fn main() -> std::process::ExitCode {
    let twice = std::env::var_os("TWICE").is_some().then(sound);
    if std::env::var_os("POOLS").is_some() {
        return pipeline_runtime::cli::main([narrow(), wide()]);
    }
    pipeline_runtime::cli::main([doubled(), sound(), empty(), broken()].into_iter().chain(twice))
}
