//! Also: a secret in a formatted text

use pipeline_runtime::prelude::*;

#[task]
async fn fetch(key: Secret) -> Result<usize> {
    Ok(format!("Bearer {key}").len())
}

#[pipeline]
fn nightly() {
    fetch(Secret::env("PORTAL_KEY"));
}

fn main() {
    let _ = nightly();
}
