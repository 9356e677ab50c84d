//! Also: the error of an alert by Airflow's name

use pipeline_runtime::prelude::*;

const CHAT: Webhook = Webhook::env("CHAT_URL").text(alert!("{{ summary }}: {{ exception }}"));

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
