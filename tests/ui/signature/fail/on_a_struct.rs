//! Also: `#[task]` on what is no function

use pipeline_runtime::prelude::*;

#[task]
struct Load {
    rows: u64,
}

fn main() {
    println!("{}", Load { rows: 1 }.rows);
}
