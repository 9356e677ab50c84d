//! Also: anyhow's `Context` where the runtime's is meant

use pipeline_runtime::prelude::*;

mod anyhow {
    pub trait Context {}
}
use anyhow::Context;

#[task]
async fn load(ctx: Context) -> Result<u64> {
    Ok(u64::from(ctx.attempt()))
}

fn main() {}
