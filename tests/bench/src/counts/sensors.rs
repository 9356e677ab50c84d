//! Waiting sensors, each with a key and a bucket of its own.

use pipeline_runtime::Plan;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// Their name among the shapes.
pub(crate) const SHAPE: &str = "sensor";
/// The same, with the run's history.
pub(crate) const WITH_HISTORY: &str = "sensor-history";

/// The next poke is far away.
#[sensor(poke = "6h", timeout = "7d")]
async fn waits(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

#[derive(Default, Serialize, Deserialize)]
struct Options {
    sensors: u32,
}

#[pipeline]
fn waiting(options: Options) -> Result<()> {
    for n in 0..options.sensors {
        waits(Bucket::open("memory://data-bucket")?, format!("raw/2024/03/daily_export_{n:07}.json"));
    }
    Ok(())
}

pub(crate) fn plan(sensors: u32) -> Plan {
    let params = serde_json::to_value(Options { sensors }).unwrap_or_default();
    waiting().plan(&params).unwrap_or_else(|error| panic!("{error}"))
}
