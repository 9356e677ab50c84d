//! Every step may run again after a crash, wherever it was cut off, and a whole day may be run again.

use crate::support::{DAY, Folder};
use pipeline_examples::cloud_data_pipeline::mock_s3::DAILY_EXPORT;
use pipeline_examples::cloud_data_pipeline::pipelines::daily_export::{archive, process};
use pipeline_runtime::{Bucket, RunState};

/// A bucket in memory with the export in it.
async fn bucket(name: &str) -> Bucket {
    let bucket = Bucket::open(&format!("memory://runs-again-{name}")).unwrap();
    bucket.put(&DAILY_EXPORT.key(DAY), DAILY_EXPORT.contents).await.unwrap();
    bucket
}

#[tokio::test]
async fn archive_finds_that_it_was_done() {
    let bucket = bucket("archive").await;
    let export = bucket.head(&DAILY_EXPORT.key(DAY)).await.unwrap().unwrap();
    let summary = process::call(bucket.clone(), export.clone()).await.unwrap();
    let first = archive::call(bucket.clone(), export.clone(), summary.clone()).await.unwrap();
    let second = archive::call(bucket.clone(), export, summary).await.unwrap();
    assert_eq!((first.key.as_str(), first.key.as_str()), ("archive/daily_export_20240325.json", second.key.as_str()));
    assert_eq!(bucket.list("").await.unwrap().len(), 2, "the export and its summary");
}

#[tokio::test]
async fn archive_finishes_a_move_that_left_both() {
    // The state of a store without renames after the move was cut off between copy and delete.
    let bucket = bucket("both").await;
    let export = bucket.head(&DAILY_EXPORT.key(DAY)).await.unwrap().unwrap();
    let summary = process::call(bucket.clone(), export.clone()).await.unwrap();
    bucket.copy(&export.key, "archive/daily_export_20240325.json").await.unwrap();
    archive::call(bucket.clone(), export, summary).await.unwrap();
    assert!(bucket.list("raw/").await.unwrap().is_empty());
    assert_eq!(bucket.list("archive/").await.unwrap().len(), 1);
}

#[tokio::test]
async fn process_writes_the_same_wherever_the_export_is() {
    let bucket = bucket("process").await;
    let export = bucket.head(&DAILY_EXPORT.key(DAY)).await.unwrap().unwrap();
    let key = "processed/daily_export_20240325_summary.json";
    let summary = process::call(bucket.clone(), export.clone()).await.unwrap();
    let first = bucket.get(key).await.unwrap();
    archive::call(bucket.clone(), export.clone(), summary.clone()).await.unwrap();
    assert_eq!(process::call(bucket.clone(), export).await.unwrap(), summary);
    assert_eq!(bucket.get(key).await.unwrap(), first);
}

#[test]
fn a_day_can_be_run_again() {
    let folder = Folder::new();
    let wrote = || {
        let written = ["daily_export_20240325_summary.json", "transactions_20240325.csv"];
        written.map(|name| folder.read(&format!("data-bucket/processed/{name}")))
    };
    let run = || {
        for report in [folder.run_task_1(), folder.run_task_2()] {
            assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        }
        wrote()
    };
    assert_eq!(run(), run());
}
