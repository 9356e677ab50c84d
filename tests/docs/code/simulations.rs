//! `docs/simulations.md`, with the stand-in for `reqwest`.

use super::recipes::reqwest;
use pipeline_runtime::prelude::*;

#[task(timeout = "10m")]
async fn fetch(ctx: Context, client: reqwest::Client, url: String) -> Result<String> {
    let answer = ctx.outside(async { client.get(&url).send().await?.error_for_status()?.text().await });
    Ok(answer.await?)
}

#[pipeline]
fn fetching() {
    fetch(reqwest::Client::new(), "https://example.org");
}

#[test]
fn it_may_be_stubbed() {
    let report = pipeline_runtime::Simulation::new(fetching()).stub("fetch", "answer".to_owned()).run();
    assert_eq!(report.output::<String>("fetch").as_deref(), Some("answer"));
}
