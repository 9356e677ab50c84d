//@ errors: 6
use pipeline_runtime::prelude::*;

#[sensor(retries = "2", poke = "1x", schedule = "@daily", mode = "pokes", pok = "5s", timeout = 5m)]
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
