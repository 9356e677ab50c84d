use pipeline_runtime::prelude::*;

pub struct Client;

#[task]
async fn process(client: Client) -> Result<u64> {
    let _ = client;
    Ok(1)
}

#[pipeline]
pub fn daily() {
    process(Client);
}
