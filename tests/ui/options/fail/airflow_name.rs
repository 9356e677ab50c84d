//! Also: an option by Airflow's name

use pipeline_runtime::prelude::*;

#[sensor(poke_interval = "45s")]
async fn ready() -> Result<Poke<u64>> {
    Ok(Poke::Ready(3))
}

fn main() {}
