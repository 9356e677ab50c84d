//! The pipelines, and what they share: where the buckets are, how they are read, who is told.

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

/// What a run may be told with `--param`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The URL that the buckets' names are appended to: the mock of S3 on this machine, or any other store. `s3://` takes what the
    /// environment says; `s3://?endpoint=http://127.0.0.1:9000` holds settings for all buckets, but no secrets: a run's params are kept.
    pub store: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { store: format!("file://{DEFAULT_ROOT}") }
    }
}

impl Options {
    /// The bucket of that name.
    fn bucket(&self, name: &str) -> Result<Bucket> {
        let url = match self.store.split_once('?').filter(|(store, _)| store.starts_with("s3:")) {
            Some((store, settings)) => format!("{store}/{name}?{settings}"),
            None => format!("{}/{name}", self.store),
        };
        Ok(Bucket::open(&url)?)
    }
}

/// All of them: the exercise's three tasks, then its extension challenges.
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

/// When all pipelines run. A day's run is due when the day is over, so the files it waits for carry its logical date.
fn schedule() -> Result<Schedule, ScheduleError> {
    Schedule::parse("@daily", "UTC")
}

/// The day whose files the run of that logical date waits for.
pub fn day_of(logical_date: &str) -> Result<NaiveDate, Box<dyn Error + Send + Sync>> {
    Ok(schedule()?.interval_of(logical_date)?.start.date_naive())
}

/// The day whose files a run waits for that is started at `now` without a logical date.
pub fn day_before(now: DateTime<Utc>) -> Result<NaiveDate, Box<dyn Error + Send + Sync>> {
    Ok(schedule()?.last_complete(now).map_or(now, |interval| interval.start).date_naive())
}

/// A look at a key: whether its file is there yet.
async fn arrival(bucket: &Bucket, key: &str) -> Result<Poke<Object>> {
    Ok(bucket.head(key).await?.into())
}

/// Reads a file that ought to be of that format.
async fn read(bucket: &Bucket, key: &str, format: &'static str) -> Result<Source> {
    let contents = bucket.get(key).await?;
    Source::new(format!("{}/{key}", bucket.name()), &contents, format).map_err(TaskError::fatal)
}

/// Tells whoever is on call. Here that is the log; a `Webhook` would take its place in the same options.
async fn page_on_call(n: Notification) -> Result<()> {
    let (node, error) = (n.node().unwrap_or("the run"), n.error().unwrap_or("-"));
    tracing::error!(callback = n.name(), pipeline = n.pipeline(), run = n.run_id(), node, error, "on call: please look");
    Ok(())
}
