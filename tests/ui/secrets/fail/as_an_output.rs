//! Also: a secret as a task's output

use pipeline_runtime::prelude::*;

static KEY: Secret = Secret::env("PORTAL_KEY");

#[task]
async fn log_in(key: Secret) -> Result<Secret> {
    Ok(key)
}

#[pipeline]
fn nightly() {
    log_in(&KEY);
}

fn main() {
    let _ = nightly();
}
