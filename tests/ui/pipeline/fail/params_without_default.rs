//! Also: params without `Default`

use pipeline_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
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
