//! Row: value that is not `Send + Sync`

use pipeline_runtime::prelude::*;

use std::rc::Rc;

#[task]
async fn load(name: Rc<String>) -> Result<usize> {
    Ok(name.len())
}

#[pipeline]
fn nightly() {
    load(Rc::new("eu".to_owned()));
}

fn main() {
    let _ = nightly();
}
