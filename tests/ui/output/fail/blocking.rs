//! Also: a blocking task without a `Result`

use pipeline_runtime::prelude::*;

#[task]
fn process() -> u64 {
    1
}

#[pipeline]
pub fn daily() {
    process();
}

fn main() {
    let _ = daily();
}
