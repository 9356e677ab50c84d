//! Also: a value that is not `Clone`

use pipeline_runtime::prelude::*;

struct Client {
    url: String,
}

#[task]
async fn load(client: Client) -> Result<usize> {
    Ok(client.url.len())
}

#[pipeline]
fn nightly() {
    load(Client { url: "https://example.com".to_owned() });
}

fn main() {
    let _ = nightly();
}
