//! Also: a variable in single braces

use pipeline_runtime::prelude::*;

#[task]
async fn show(text: String) -> Result<String> {
    Ok(text)
}

#[pipeline]
fn nightly() {
    show(template!("{bucket}/{{ ds }}"));
}

fn main() {
    let _ = nightly();
}
