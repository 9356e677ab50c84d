//! Also: `_` for the output's type

use pipeline_runtime::prelude::*;

#[task]
async fn process(n: u64) -> Result<_> {
    Ok(n)
}

#[pipeline]
pub fn daily() {
    process(process(1));
}

fn main() {
    let _ = daily();
}
