//! Pipelines with and without params.

use pipeline_runtime::prelude::*;

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    regions: Vec<String>,
}

#[task]
async fn load(region: String) -> Result<u64> {
    Ok(region.len() as u64)
}

/// Loops are plain Rust, and so are helper functions.
#[pipeline]
pub(crate) fn with_params(Options { regions }: Options) {
    for region in regions {
        load(region.clone()).named(format!("load_{region}"));
    }
    load("always");
}

/// A time without an offset is the wall clock of the schedule's zone, and both bounds are inclusive.
#[pipeline(schedule = "@daily", timezone = "Europe/Berlin", start = "2024-01-31T06:00", end = "2024-01-31T05:00:00Z")]
pub(crate) fn within_a_window() {
    load("eu").named("größe").retry_delay(std::time::Duration::ZERO);
}

#[pipeline]
pub(crate) fn with_result() -> Result<()> {
    load("eu");
    Ok(())
}
