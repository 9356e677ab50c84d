//! Also: a function that lacks `#[task]`, wired like a task

use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<Object> {
    Err(TaskError::skip("nothing today"))
}

#[task]
async fn process(export: Object) -> Result<u64> {
    Ok(export.size)
}


async fn parse(export: Node<Object>) -> Result<u64> {
    let _ = export;
    Ok(1)
}

#[task]
async fn archive(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(parse(export()));
}

fn main() {
    let _ = nightly();
}
