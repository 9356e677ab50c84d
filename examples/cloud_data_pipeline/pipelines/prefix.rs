//! Extension challenge 1: any file with a prefix.

use super::Options;
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::any_with_prefix;
use std::time::Duration;

/// Returns the length of one of the files.
#[task]
pub async fn measure_part(bucket: Bucket, part: Object) -> Result<usize> {
    Ok(bucket.get(&part.key).await?.len())
}

/// Returns the total length of all files.
#[task]
pub async fn total_length(parts: Vec<usize>) -> Result<usize> {
    let total = parts.iter().sum();
    tracing::info!(parts = parts.len(), total, "measured");
    Ok(total)
}

/// Waits for any of the day's events, whatever their files are named, and takes all files that exist by then.
#[pipeline(schedule = "@daily", start = "2024-01-01", tags = ["exercise-2", "extension"])]
pub fn prefix_pipeline(options: Options) -> Result<()> {
    let bucket = options.bucket("data-bucket")?;
    let parts = any_with_prefix(&bucket, template!("raw/events_{{ ds_nodash }}_"))
        .named("any_events")
        .poke(Duration::from_secs(45))
        .timeout(Duration::from_mins(10));
    total_length(parts.each(|part| measure_part(&bucket, part)));
    Ok(())
}
