//! `docs/testing.md`

use pipeline_runtime::prelude::*;

/// Waits for the day's export.
#[sensor(timeout = "10m", poke = "45s", retries = 2, retry_delay = "2m")]
async fn daily_export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

/// Counts its rows.
#[task(retries = 1, retry_delay = "5m")]
async fn process(bucket: Bucket, export: Object) -> Result<u64> {
    let body = bucket.get(&export.key).await?;
    Ok(body.split(|byte| *byte == b'\n').count() as u64)
}

/// Runs however the counting ended.
#[task]
async fn notify(rows: Outcome<u64>) -> Result<()> {
    println!("{rows:?}");
    Ok(())
}

#[pipeline(schedule = "0 6 * * *", start = "2024-01-01", timeout = "2h")]
fn exports() -> Result<()> {
    let bucket = Bucket::open("memory://data-bucket")?;
    let export = daily_export(&bucket, template!("raw/daily_export_{{ ds_nodash }}.json"));
    let rows = process(&bucket, export);
    notify(rows);
    Ok(())
}

#[tokio::test]
async fn rows_are_counted() {
    let bucket = Bucket::open("memory://rows").unwrap();
    let export = bucket.put("export.json", "one\ntwo").await.unwrap();
    assert_eq!(process::call(bucket, export).await.unwrap(), 2);
}

use pipeline_runtime::{NodeState, RunState, Simulation};
use std::time::Duration;

#[test]
fn a_late_export_is_processed() {
    let report = Simulation::new(exports())
        .logical_date("2024-03-25")
        .arrive("7m", "memory://data-bucket/raw/daily_export_20240325.json", r#"{"records": []}"#)
        .run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("daily_export").pokes(), 11);
}

#[test]
fn without_an_export_somebody_is_notified_after_ten_minutes() {
    let report = Simulation::new(exports()).run();
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.node("notify").state(), NodeState::Success);
    assert_eq!(report.finished(), Some(Duration::from_mins(10)));
}

#[test]
fn a_failed_attempt_is_retried_after_five_minutes() {
    let report = Simulation::new(exports())
        .arrive("0s", "memory://data-bucket/raw/daily_export_20240101.json", "{}")
        .fail("process", 1, "503")
        .run();
    assert_eq!(report.node("process").attempts(), 2);
    assert_eq!(report.node("process").finished(), Some(Duration::from_mins(5)));
}

#[test]
fn the_plan_has_no_mistakes() {
    exports().check().unwrap();
}
