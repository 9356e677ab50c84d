use pipeline_runtime::prelude::*;

#[sensor(backoff(start = "10m", max = "5m"))]
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
