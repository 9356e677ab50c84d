//! Also: a key that is no text

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

#[pipeline]
fn nightly() {
    feeds().keyed(|feed| feed.clone()).each(|feed| load(feed));
}

fn main() {
    let _ = nightly();
}
