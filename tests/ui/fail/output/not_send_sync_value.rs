use pipeline_runtime::prelude::*;
use std::rc::Rc;

#[task]
async fn process(shared: Rc<u64>) -> Result<u64> {
    Ok(*shared)
}

#[pipeline]
pub fn daily() {
    process(Rc::new(1));
}
