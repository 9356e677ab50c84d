//! Every position of a secret.

use pipeline_runtime::prelude::*;

static KEY: Secret = Secret::env("PORTAL_KEY");
const TOKEN: Secret = Secret::file("/run/secrets/token");

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Options {
    token: Secret,
    other: Option<Secret>,
}

#[task]
async fn fetch(key: Secret, token: Option<Secret>, others: Vec<Secret>) -> Result<usize> {
    let token = token.map_or(0, |token| token.expose().len());
    Ok(key.expose().len() + token + others.len())
}

#[sensor(timeout = "1h", poke = "1m")]
async fn ready(key: Secret) -> Result<Poke<u64>> {
    Ok(Poke::Ready(key.expose().len() as u64))
}

#[task]
fn blocking(key: Secret) -> Result<usize> {
    Ok(key.expose().len())
}

#[pipeline]
pub(crate) fn secrets(options: Options) {
    fetch(&KEY, Some(TOKEN), vec![KEY.clone(), options.token]);
    fetch(TOKEN, options.other, Vec::<Secret>::new()).named("other");
    ready(&KEY);
    blocking(KEY.clone());
}
