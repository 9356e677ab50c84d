//! Row: sensor not returning `Poke`

use pipeline_runtime::prelude::*;

#[sensor]
async fn ready() -> Result<u64> {
    Ok(3)
}

#[task]
async fn archive(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(ready());
}

fn main() {
    let _ = nightly();
}
