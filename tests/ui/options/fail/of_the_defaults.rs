//! Also: an unknown option in `defaults(..)`

use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline(defaults(retrys = 1))]
pub fn daily() {
    process(1);
}

fn main() {
    let _ = daily();
}
