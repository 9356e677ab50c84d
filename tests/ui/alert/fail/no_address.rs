//! Also: a mail to an invalid address

use pipeline_runtime::prelude::*;

const TEAM: Mail = Mail::env("SMTP_URL").to(&["data@example.org", "ops"]);

#[task(on_failure = TEAM)]
async fn load() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
