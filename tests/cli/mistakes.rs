//! A binary whose pipelines are wrong, for the tests of what is said about them.

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u32> {
    Ok(1)
}

#[task]
async fn load(rows: u32) -> Result<u32> {
    Ok(rows)
}

/// Two nodes of one name, in two places.
#[pipeline]
fn doubled() {
    let a = rows().named("rows");
    load(a).named("rows");
    load(a).named("");
}

/// Nothing at all.
#[pipeline]
fn empty() {}

/// Cannot be described.
#[pipeline]
fn broken() -> Result<()> {
    rows();
    Err("the region is unknown".into())
}

/// As it should be.
#[pipeline]
fn sound() {
    load(rows());
}

static NARROW: Pool = Pool::new("warehouse", 2);
static WIDE: Pool = Pool::new("warehouse", 4);

/// Shares a pool with the next by its name, but not its slots.
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
