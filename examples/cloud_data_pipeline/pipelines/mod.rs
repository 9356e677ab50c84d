//! The pipelines, and what they share: the buckets' location, reading files, and notifying the person on call.

pub mod advanced;
pub mod daily_export;
pub mod file_size;
pub mod multi_bucket;
pub mod multi_region;
pub mod prefix;

use super::domain::Source;
use super::mock_s3::DEFAULT_ROOT;
use chrono::{DateTime, NaiveDate, Utc};
use pipeline_runtime::prelude::*;
use pipeline_runtime::schedule::{Schedule, ScheduleError};
use std::error::Error;

/// The params of a run, which `--param` sets.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The URL to which bucket names are appended: the mock of S3 on this machine, or any other store. `s3://` uses the settings
    /// of the environment. `s3://?endpoint=http://127.0.0.1:9000` contains settings for all buckets, but it must not contain
    /// secrets: a run's params are recorded in the journal.
    pub store: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { store: format!("file://{DEFAULT_ROOT}") }
    }
}

impl Options {
    /// Opens the bucket with that name.
    fn bucket(&self, name: &str) -> Result<Bucket> {
        let url = match self.store.split_once('?').filter(|(store, _)| store.starts_with("s3:")) {
            Some((store, settings)) => format!("{store}/{name}?{settings}"),
            None => format!("{}/{name}", self.store),
        };
        Ok(Bucket::open(&url)?)
    }
}

/// All pipelines: the exercise's three tasks, then its extension challenges.
pub fn all() -> [Pipeline; 6] {
    [
        daily_export::cloud_data_pipeline(),
        multi_bucket::multi_bucket_pipeline(),
        advanced::advanced_cloud_sensors(),
        prefix::prefix_pipeline(),
        file_size::file_size_pipeline(),
        multi_region::multi_region_pipeline(),
    ]
}

/// The schedule of all pipelines. A day's run is due when the day is over, so the files it waits for are named after its logical
/// date.
fn schedule() -> Result<Schedule, ScheduleError> {
    Schedule::parse("@daily", "UTC")
}

/// The day whose files are awaited by the run with this logical date.
pub fn day_of(logical_date: &str) -> Result<NaiveDate, Box<dyn Error + Send + Sync>> {
    Ok(schedule()?.interval_of(logical_date)?.start.date_naive())
}

/// The day whose files are awaited by a run that starts at `now` without a logical date.
pub fn day_before(now: DateTime<Utc>) -> Result<NaiveDate, Box<dyn Error + Send + Sync>> {
    Ok(schedule()?.last_complete(now).map_or(now, |interval| interval.start).date_naive())
}

/// Pokes for a key: ready once its file exists.
async fn arrival(bucket: &Bucket, key: &str) -> Result<Poke<Object>> {
    Ok(bucket.head(key).await?.into())
}

/// Reads a file; `format` describes what is expected, for error messages.
async fn read(bucket: &Bucket, key: &str, format: &'static str) -> Result<Source> {
    let contents = bucket.get(key).await?;
    Source::new(format!("{}/{key}", bucket.name()), &contents, format).map_err(TaskError::fatal)
}

/// Notifies the person on call. This example only logs; a `Webhook` could take its place in the same options.
async fn page_on_call(n: Notification) -> Result<()> {
    let (node, error) = (n.node().unwrap_or("the run"), n.error().unwrap_or("-"));
    tracing::error!(callback = n.name(), pipeline = n.pipeline(), run = n.run_id(), node, error, "on call: please look");
    Ok(())
}
