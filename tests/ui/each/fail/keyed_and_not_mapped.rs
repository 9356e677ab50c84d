//! Also: a list with keys where a task takes a list

use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Feed {
    name: String,
}

#[task]
async fn feeds() -> Result<Vec<Feed>> {
    Ok(vec![Feed { name: "bart".to_owned() }])
}

#[task]
async fn load(feed: Feed) -> Result<u64> {
    Ok(feed.name.len() as u64)
}

#[task]
async fn count(feeds: Vec<Feed>) -> Result<usize> {
    Ok(feeds.len())
}

#[pipeline]
fn nightly() {
    feeds().each(|feed| load(feed));
    count(feeds().named("others").keyed(|feed| feed.name.clone()));
}

fn main() {
    let _ = nightly();
}
