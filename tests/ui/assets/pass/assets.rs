//! Each way to update an asset, to wait for it and to read it.

use pipeline_runtime::prelude::*;

mod shared {
    use pipeline_runtime::prelude::*;

    pub(crate) static VISITS: Asset<Vec<u64>> = Asset::new("visits");
}

const RATES: Asset<f64> = Asset::external("rates.eu");
static DONE: Asset<()> = Asset::new("done");

#[task]
async fn export() -> Result<Vec<u64>> {
    Ok(vec![1])
}

#[sensor]
async fn finished() -> Result<Poke<()>> {
    Ok(Poke::Ready(()))
}

#[task]
async fn build(_visits: Vec<u64>, _rate: f64) -> Result<()> {
    Ok(())
}

#[task]
async fn each(visit: u64) -> Result<u64> {
    Ok(visit)
}

#[pipeline(schedule = "@daily")]
pub(crate) fn updating() {
    export().named("east").retries(1).updates(&shared::VISITS);
    export().named("west").updates(&shared::VISITS);
    finished().updates(&DONE);
}

#[pipeline(when = any(shared::VISITS, RATES, self::DONE,), tags = ["model"])]
pub(crate) fn waiting() {
    static HERE: Asset<f64> = RATES;
    build(shared::VISITS.latest(), HERE.latest());
    shared::VISITS.latest().each(each);
}
