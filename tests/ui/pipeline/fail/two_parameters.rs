//! Row: pipeline with two parameters

use pipeline_runtime::prelude::*;

#[pipeline]
fn nightly(region: String, day: String) {
    println!("{region} {day}");
}

fn main() {
    let _ = nightly();
}
