//! Also: `#[pipeline]` on a struct

use pipeline_runtime::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Options {
    pub n: u64,
}

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline]
struct Daily;
fn daily() {
    process(1);
    let _ = Daily;
}

pub fn main() {
    let _ = daily();
}
