//! Also: borrowed params

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
fn daily(options: &Options) {
    process(options.n);
}

pub fn main() {
    let _ = daily();
}
