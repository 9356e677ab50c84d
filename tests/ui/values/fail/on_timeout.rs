//! Also: a bad `on_timeout`

use pipeline_runtime::prelude::*;

#[sensor(on_timeout = skip)]
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
