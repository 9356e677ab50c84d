//! Also: a teardown of another type than its setup's output

use pipeline_runtime::prelude::*;

#[task]
async fn machine() -> Result<String> {
    Ok("m-17".into())
}

#[task]
async fn delete(machine: u64) -> Result<u64> {
    Ok(machine)
}

#[pipeline]
fn nightly() {
    machine().teardown(|machine| delete(machine), |_| ());
}

fn main() {
    let _ = nightly();
}
