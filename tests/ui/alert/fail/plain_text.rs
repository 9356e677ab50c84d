//! Also: a plain text as the text of an alert

use pipeline_runtime::prelude::*;

const CHAT: Webhook = Webhook::env("CHAT_URL").text("{{ dag.id }}: {{ error }}");

#[task(on_failure = CHAT)]
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
