//! Extension challenge 3: the same file in several regions; the first region that has it is used.

use super::{Options, read};
use crate::cloud_data_pipeline::domain::export::{self, Export, Summary};
use crate::cloud_data_pipeline::mock_s3::REGIONS;
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::key_exists;
use std::time::Duration;

/// Summarizes the export, read from the region that had it first.
#[task(retries = 1, retry_delay = "1m")]
pub async fn process_nearest(options: Options, export: Object) -> Result<Summary> {
    let bucket = options.bucket(&export.bucket)?;
    let source = read(&bucket, &export.key, export::FORMAT).await?;
    let summary = Export::read(&source).map_err(TaskError::fatal)?.summary(source.name());
    tracing::info!(bucket = export.bucket, records = summary.records, "processed");
    Ok(summary)
}

/// Waits for the day's export in all regions at once. The first region that has it wins, and the waits for the others end.
///
/// A region that cannot be reached is retried every minute until the timeout, so an outage of one region does not fail the run.
#[pipeline(schedule = "@daily", start = "2024-01-01", tags = ["exercise-2", "extension"])]
pub fn multi_region_pipeline(options: Options) -> Result<()> {
    let mut regions = Vec::new();
    for region in REGIONS {
        let bucket = options.bucket(&format!("data-bucket-{region}"))?;
        let export = key_exists(&bucket, template!("raw/daily_export_{{ ds_nodash }}.json"))
            .named(region.replace('-', "_"))
            .poke(Duration::from_secs(30))
            .timeout(Duration::from_mins(30))
            .retries(30)
            .retry_delay(Duration::from_mins(1));
        regions.push(export);
    }
    process_nearest(&options, first_of(regions).named("nearest"));
    Ok(())
}
