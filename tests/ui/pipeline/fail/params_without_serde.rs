//! Also: params without serde's derives

use pipeline_runtime::prelude::*;

#[derive(Default)]
struct Options {
    region: String,
}

#[pipeline]
fn nightly(options: Options) {
    println!("{}", options.region);
}

fn main() {
    let _ = nightly();
}
