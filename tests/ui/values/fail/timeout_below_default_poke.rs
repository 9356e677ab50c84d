//! Also: a timeout shorter than the default `poke`

use pipeline_runtime::prelude::*;

#[sensor(timeout = "30s")]
async fn process(n: u64) -> Result<Poke<u64>> {
    Ok(Poke::Ready(n))
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(process(1));
}

fn main() {
    let _ = daily();
}
