//! Row: output that is not `Data`

use pipeline_runtime::prelude::*;

struct Secret {
    token: String,
}

#[task]
async fn log_in() -> Result<Secret> {
    Ok(Secret { token: "x".to_owned() })
}

#[task]
async fn fetch(secret: std::sync::Arc<Secret>) -> Result<usize> {
    Ok(secret.token.len())
}

#[pipeline]
fn nightly() {
    let secret = log_in();
    fetch(secret);
    fetch(secret);
}

fn main() {
    let _ = nightly();
}
