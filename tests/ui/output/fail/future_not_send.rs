//! Row: future that is not `Send`

use pipeline_runtime::prelude::*;

use std::rc::Rc;

async fn pause() {}

#[task]
async fn load() -> Result<usize> {
    let shared = Rc::new(3);
    pause().await;
    Ok(*shared)
}

#[pipeline]
fn nightly() {
    load();
}

fn main() {
    let _ = nightly();
}
