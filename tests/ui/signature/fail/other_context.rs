//! Also: another type of the name `Context`

use pipeline_runtime::prelude::*;

mod other {
    #[derive(Clone)]
    pub struct Context;
}
#[task]
async fn process(ctx: other::Context, n: u64) -> Result<u64> {
    let _ = ctx;
    Ok(n)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process(1));
}

fn main() {
    let _ = daily();
}
