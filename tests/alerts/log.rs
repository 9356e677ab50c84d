//! What the log notifier writes.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Log, RunState, Simulation};
use std::sync::{Arc, Mutex};

#[sensor(timeout = "10m", poke = "45s", retries = 1, retry_delay = "1m", sla = "5m", on_retry = Log, on_failure = Log, on_sla_miss = Log)]
async fn export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

#[task(on_failure = Log, on_upstream_failed = Log)]
async fn load(export: Object) -> Result<u64> {
    Ok(export.size)
}

#[task(on_success = Log)]
async fn other() -> Result<u64> {
    Ok(1)
}

#[pipeline(on_failure = Log)]
fn nightly() -> Result<()> {
    load(export(Bucket::open("memory://data-bucket")?, template!("raw/{{ ds }}.json")));
    other();
    Ok(())
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn all_that_is_known_is_on_one_line() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || writer.clone()).finish();
    let report = tracing::subscriber::with_default(subscriber, || {
        Simulation::new(nightly()).logical_date("2024-03-25").fail("export", 1, "503").run()
    });
    assert_eq!(report.state(), RunState::Failed);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("pipeline_runtime::alerts")).collect();
    expect_test::expect![[r#"
         WARN pipeline_runtime::alerts: an attempt of export of nightly failed and will be retried event="on_retry" pipeline="nightly" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="export" state="up_for_retry" attempt=1 attempts=2 pokes=1 elapsed=0s budget_left=10m inputs=key=raw/2024-03-25.json error=503
         INFO pipeline_runtime::alerts: other of nightly succeeded event="on_success" pipeline="nightly" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="other" state="success" attempt=1 attempts=1 elapsed=0s
         WARN pipeline_runtime::alerts: export of nightly has missed its SLA and is still up_for_reschedule event="on_sla_miss" pipeline="nightly" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="export" state="up_for_reschedule" attempt=2 attempts=2 pokes=7 elapsed=5m budget_left=5m inputs=key=raw/2024-03-25.json
        ERROR pipeline_runtime::alerts: export of nightly failed event="on_failure" pipeline="nightly" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="export" state="failed" attempt=2 attempts=2 pokes=14 elapsed=10m budget_left=0s inputs=key=raw/2024-03-25.json error=timed out: not ready within 10m (14 pokes); it last looked for data-bucket/raw/2024-03-25.json
        ERROR pipeline_runtime::alerts: load of nightly cannot run: something before it failed event="on_upstream_failed" pipeline="nightly" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="load" state="upstream_failed" attempts=1 error=`export` failed: timed out: not ready within 10m (14 pokes); it last looked for data-bucket/raw/2024-03-25.json
        ERROR pipeline_runtime::alerts: nightly failed event="on_failure" pipeline="nightly" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z state="failed" elapsed=10m error=`export` failed: timed out: not ready within 10m (14 pokes); it last looked for data-bucket/raw/2024-03-25.json
    "#]]
    .assert_eq(&format!("{}\n", lines.join("\n")));
}
