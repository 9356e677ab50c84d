//! Also: a value that only the function has, given to an alert

use pipeline_runtime::prelude::*;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();

#[task]
async fn load(table: String) -> Result<usize> {
    Ok(table.len())
}

#[pipeline]
fn nightly() {
    for table in ["visits", "processes"] {
        load(table).on_failure(CHAT.text(alert!("{{ table }}: {{ error }}", table = table)));
    }
}

fn main() {
    let _ = nightly();
}
