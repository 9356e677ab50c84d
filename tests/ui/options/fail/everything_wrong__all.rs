//! Row: all mistakes of one item

use pipeline_runtime::prelude::*;

#[sensor(
    retries = "2",
    timeout = "10 minuts",
    poke = 45,
    mode = "rescheduled",
    pool = "s3",
    schedule = "@daily",
    on_timout = "skip",
    retries = 3,
    on_failure = page(),
)]
async fn ready(key: &str, (a, b): (u64, u64)) -> Result<Poke<&str>> {
    Ok(Poke::NotYet)
}

#[task]
async fn archive(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    archive(ready("raw/export.json", 3u64));
}

fn main() {
    let _ = nightly();
}
