//! Also: a whole number for a fraction

use pipeline_runtime::prelude::*;

#[task]
async fn scale(factor: f64) -> Result<f64> {
    Ok(factor)
}

#[pipeline]
fn nightly() {
    scale(2);
}

fn main() {
    let _ = nightly();
}
