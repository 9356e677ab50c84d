//! `docs/secrets.md`

use pipeline_runtime::prelude::*;

static KEY: Secret = Secret::env("PORTAL_KEY");
const CERTIFICATE: Secret = Secret::file("/run/secrets/portal.pem");

#[task(retries = 3, retry_delay = "1m")]
async fn fetch(key: Secret, certificate: Secret) -> Result<u64> {
    let header = format!("Bearer {}", key.expose());
    Ok(header.len() as u64 + certificate.expose().len() as u64)
}

#[pipeline(schedule = "@daily", start = "2026-01-01")]
fn portal() {
    fetch(&KEY, CERTIFICATE);
}

#[test]
fn the_secrets_are_given() {
    let simulation =
        pipeline_runtime::Simulation::new(portal()).secret(&KEY, "key-of-a-page").secret(&CERTIFICATE, "certificate-of-a-page");
    assert_eq!(simulation.run().output::<u64>("fetch"), Some(20 + 21));
}
