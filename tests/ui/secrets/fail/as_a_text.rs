//! Also: a secret where a text or a template is taken

use pipeline_runtime::prelude::*;

static KEY: Secret = Secret::env("PORTAL_KEY");

#[task]
async fn fetch(url: String) -> Result<usize> {
    Ok(url.len())
}

#[pipeline]
fn nightly() {
    fetch(&KEY);
}

fn main() {
    let _ = nightly();
}
