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

#[pipeline]
pub(crate) fn with_result() -> Result<()> {
    load("eu");
    Ok(())
}
