//! Also: a `Box<dyn Error>` as a task's error

use pipeline_runtime::prelude::*;
use std::error::Error;

#[task]
async fn load(text: String) -> Result<u64, Box<dyn Error>> {
    Ok(text.parse()?)
}

#[pipeline]
fn nightly() {
    load("1");
}

fn main() {
    let _ = nightly();
}
