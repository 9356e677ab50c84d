//! Also: `.each` on a plain list of `&str`, where a `String` is taken

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn announce(text: String) -> Result<()> {
    println!("{text}");
    Ok(())
}

#[pipeline]
fn nightly() {
    rows();
    vec!["eu", "us"].each(|region| announce(region));
}

fn main() {
    let _ = nightly();
}
