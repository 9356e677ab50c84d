//! Also: a callback of the wrong signature in `escalate`

use pipeline_runtime::prelude::*;

async fn page(_: u64) -> Result<()> {
    Ok(())
}

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline(escalate("60m" => page))]
pub fn daily() {
    process(1);
}

fn main() {
    let _ = daily();
}
