use pipeline_runtime::prelude::*;
use std::rc::Rc;

async fn tick() {}

#[task]
async fn process() -> Result<u64> {
    let shared = Rc::new(1);
    tick().await;
    Ok(*shared)
}

#[pipeline]
pub fn daily() {
    process();
}
