//! Also: a secret within a task's output

use pipeline_runtime::prelude::*;

static KEY: Secret = Secret::env("PORTAL_KEY");

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Session {
    keys: Vec<Secret>,
}

#[task]
async fn log_in(key: Secret) -> Result<Session> {
    Ok(Session { keys: vec![key] })
}

#[pipeline]
fn nightly() {
    log_in(&KEY);
}

fn main() {
    let _ = nightly();
}
