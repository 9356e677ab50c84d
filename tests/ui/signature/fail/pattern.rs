//! Row: pattern parameters

use pipeline_runtime::prelude::*;

#[task]
async fn load((rows, name): (u64, String)) -> Result<u64> {
    println!("{name}");
    Ok(rows)
}

#[task]
async fn count() -> Result<(u64, String)> {
    Ok((1, "eu".to_owned()))
}

#[pipeline]
fn nightly() {
    load(count());
}

fn main() {
    let _ = nightly();
}
