//! The bytes that a sensor holds while it waits.

use crate::{COUNTED, Count, live};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use stats_alloc::Region;
use std::sync::Arc;

/// Two sizes, whose difference leaves out what a run costs as such.
const SIZES: [usize; 2] = [10_000, 110_000];

/// Its next poke is far away.
#[sensor(poke = "6h", timeout = "7d")]
async fn waits(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

#[derive(Default, Serialize, Deserialize)]
struct Options {
    sensors: usize,
}

/// Each with a key and a bucket of its own.
#[pipeline]
fn waiting(options: Options) -> Result<()> {
    for n in 0..options.sensors {
        waits(Bucket::open("memory://data-bucket")?, format!("raw/2024/03/daily_export_{n:07}.json"));
    }
    Ok(())
}

pub(crate) fn counts() -> Vec<Count> {
    let [few, many] = SIZES.map(held);
    #[expect(clippy::cast_precision_loss, reason = "figures of a table")]
    let a_node = (many as f64 - few as f64) / (SIZES[1] - SIZES[0]) as f64;
    vec![Count { shape: "sensor".to_owned(), of: "bytes of one that waits".to_owned(), a_node }]
}

fn held(sensors: usize) -> usize {
    let params = serde_json::to_value(Options { sensors }).unwrap_or_default();
    let live = live();
    let region = Region::new(COUNTED);
    let plan = Arc::new(waiting().plan(&params).unwrap_or_else(|error| panic!("{error}")));
    let run = live.start(&plan);
    run.all_wait();
    let held = region.change();
    held.bytes_allocated.saturating_sub(held.bytes_deallocated)
}
