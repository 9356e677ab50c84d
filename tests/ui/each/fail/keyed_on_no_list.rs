//! Also: `.keyed` on a node that is not a list

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
async fn total(loaded: Vec<u64>) -> Result<u64> {
    Ok(loaded.iter().sum())
}

#[pipeline]
fn nightly() {
    let total = total(feeds().each(|feed| load(feed)));
    total.keyed(|total| total.to_string());
}

fn main() {
    let _ = nightly();
}
