//! Task 1: one file a day, which is awaited, summarized and archived.

use super::{Options, page_on_call, read};
use crate::cloud_data_pipeline::domain::export::{self, Export, Summary};
use pipeline_runtime::prelude::*;

/// Waits for the day's export.
///
/// An export that an earlier run archived counts, too, so that a day can be run again.
#[sensor(timeout = "10m", poke = "45s", retries = 2, retry_delay = "2m")]
pub async fn daily_export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(locate(&bucket, &key).await?.into())
}

/// Writes a summary of the export to `processed/`.
#[task(retries = 1, retry_delay = "5m")]
pub async fn process(bucket: Bucket, export: Object) -> Result<Summary> {
    let found = locate(&bucket, &export.key).await?.ok_or("the export was there and is gone")?;
    let source = read(&bucket, &found.key, export::FORMAT).await?;
    let summary = Export::read(&source).map_err(TaskError::fatal)?.summary(file_name(&export.key));
    bucket.put(&summary_key(&export.key), serde_json::to_vec_pretty(&summary)?).await?;
    Ok(summary)
}

/// Moves the export to `archive/` once its summary exists.
///
/// If an earlier attempt was aborted after the move, this one finds the export there, and moving it to itself changes nothing.
#[task(retries = 1, retry_delay = "5m")]
pub async fn archive(bucket: Bucket, export: Object, summary: Summary) -> Result<Object> {
    let found = locate(&bucket, &export.key).await?.ok_or("the export was there and is gone")?;
    let archived = bucket.rename(&found.key, &archive_key(&export.key)).await?;
    tracing::info!(key = archived.key, records = summary.records, "archived");
    Ok(archived)
}

/// Reports the outcome of the day's export, whatever it is.
#[task]
pub async fn notify(summary: Outcome<Summary>, archived: Outcome<Object>) -> Result<String> {
    let news = match (summary, archived) {
        (Outcome::Success(summary), Outcome::Success(object)) => {
            format!("processed {} record(s); the export is at {}/{}", summary.records, object.bucket, object.key)
        }
        (Outcome::Failed(failure), _) | (_, Outcome::Failed(failure)) => {
            format!("`{}` failed at attempt {}: {}", failure.node(), failure.attempts(), failure.error())
        }
        (Outcome::Skipped, _) | (_, Outcome::Skipped) => "nothing to do".to_owned(),
    };
    tracing::info!("{news}");
    Ok(news)
}

/// Waits for the day's export, writes its summary, archives it, and reports the outcome.
///
/// A run's files are named after its logical date: the export of a day is awaited once the day is over.
#[pipeline(schedule = "@daily", start = "2024-01-01", sla = "45m", on_sla_miss = page_on_call, on_failure = page_on_call, tags = ["exercise-2"])]
pub fn cloud_data_pipeline(options: Options) -> Result<()> {
    let bucket = options.bucket("data-bucket")?;
    let export = daily_export(&bucket, template!("raw/daily_export_{{ ds_nodash }}.json"));
    let summary = process(&bucket, export);
    let archived = archive(&bucket, export, summary);
    notify(summary, archived);
    Ok(())
}

/// Finds the export where it arrives, or otherwise where it is archived.
async fn locate(bucket: &Bucket, key: &str) -> Result<Option<Object>> {
    match bucket.head(key).await? {
        None => Ok(bucket.head(&archive_key(key)).await?),
        found => Ok(found),
    }
}

fn archive_key(key: &str) -> String {
    format!("archive/{}", file_name(key))
}

fn summary_key(key: &str) -> String {
    let name = file_name(key);
    format!("processed/{}_summary.json", name.strip_suffix(".json").unwrap_or(name))
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
