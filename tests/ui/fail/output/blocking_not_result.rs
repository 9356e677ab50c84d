use pipeline_runtime::prelude::*;

#[task]
fn process() -> u64 {
    1
}

#[pipeline]
pub fn daily() {
    process();
}
