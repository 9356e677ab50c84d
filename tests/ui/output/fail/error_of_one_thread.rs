//! Also: `?` on a `Box<dyn Error>`

use pipeline_runtime::prelude::*;
use std::error::Error;

fn parse(text: &str) -> Result<u64, Box<dyn Error>> {
    Ok(text.parse()?)
}

#[task]
async fn load(text: String) -> Result<u64> {
    let rows = parse(&text)?;
    Ok(rows)
}

#[pipeline]
fn nightly() {
    load("1");
}

fn main() {
    let _ = nightly();
}
