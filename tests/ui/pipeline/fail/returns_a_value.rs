//! Also: a pipeline that returns a value

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
fn daily(options: Options) -> Result<u64> {
    process(options.n);
    Ok(1)
}

pub fn main() {
    let _ = daily();
}
