use expect_test::expect;
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::key_exists;
use pipeline_runtime::{NodeState, OnTimeout, RunMetrics, Simulation};
use std::time::Duration;

static NARROW: Pool = Pool::new("narrow", 1);

#[task(retries = 1, retry_delay = "1m")]
async fn list(export: Object) -> Result<Vec<u64>> {
    Ok((0..export.size).collect())
}

#[task(pool = NARROW)]
async fn upload(n: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(n)
}

#[task]
async fn after(late: Object) -> Result<()> {
    drop(late);
    Ok(())
}

#[pipeline(schedule = "@daily")]
fn measured() -> Result<()> {
    let bucket = Bucket::open("memory://b")?;
    let export =
        key_exists(&bucket, "export").named("export").poke(Duration::from_secs(45)).poke_timeout(Duration::from_secs(30));
    list(export).each(upload);
    after(key_exists(&bucket, "never").named("never").timeout(Duration::from_mins(5)).on_timeout(OnTimeout::Skip));
    Ok(())
}

fn metrics() -> RunMetrics {
    Simulation::new(measured())
        .logical_date("2024-03-25")
        .latency("memory://b", "2s")
        .arrive("7m", "memory://b/export", "123")
        .fail("list", 1, "503")
        .run()
        .metrics()
}

#[test]
fn numbers_are_counted_from_what_happened() {
    let metrics = metrics();
    let export = metrics.sensor("export").unwrap();
    assert_eq!((export.pokes, export.node.attempts, export.timeouts, export.node.errors), (11, 1, 0, 0));
    assert_eq!((export.wait, export.detection), (Duration::from_secs(452), Some(Duration::from_secs(32))));
    assert_eq!(
        (export.poke_duration.count, export.poke_duration.sum, export.poke_duration.max),
        (11, Duration::from_secs(22), Duration::from_secs(2))
    );
    let never = metrics.sensor("never").unwrap();
    assert_eq!((never.timeouts, never.detection, never.pokes), (1, None, 6));
    assert_eq!(never.node.states[&NodeState::Skipped], 1);
    let list = metrics.task("list").unwrap();
    assert_eq!((list.attempts, list.errors, list.queue, list.run), (2, 1, Duration::ZERO, Duration::ZERO));
    let upload = metrics.task("upload").unwrap();
    assert_eq!((upload.attempts, upload.states[&NodeState::Success]), (3, 3));
    // One after another, in a pool with one slot: the second waits 10 s for the slot and the third 20 s.
    assert_eq!((upload.queue, upload.run), (Duration::from_secs(30), Duration::from_secs(30)));
    assert_eq!(metrics.task("after").unwrap().states[&NodeState::Skipped], 1);
}

#[test]
fn a_table_for_people() {
    expect![[r"
        measured: success after 9m 2s
        sensor  state    pokes    wait  found after  poke mean  poke max  timeouts  errors  queued
        export  success     11  7m 32s          32s         2s        2s         0       0      0s
        never   skipped      6   5m 2s            -         2s        2s         1       0      0s

        task    state      attempts  errors  queued  ran
        list    success           2       1      0s   0s
        upload  3 success         3       0     30s  30s
        after   skipped           0       0      0s   0s

        (a node's times are those of all its elements together, also if they waited or ran at once)
    "]]
    .assert_eq(&metrics().to_string());
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, most of it goldens")]
fn text_for_prometheus() {
    expect![[r#"
        # HELP pipeline_run_state 1 for the state that the run is in.
        # TYPE pipeline_run_state gauge
        pipeline_run_state{pipeline="measured",state="success"} 1
        # HELP pipeline_run_duration_seconds From the run's start to its end, or to the last thing that happened.
        # TYPE pipeline_run_duration_seconds gauge
        pipeline_run_duration_seconds{pipeline="measured"} 542
        # HELP pipeline_node_states How many of the node's elements are in which state.
        # TYPE pipeline_node_states gauge
        pipeline_node_states{pipeline="measured",node="export",state="success"} 1
        pipeline_node_states{pipeline="measured",node="never",state="skipped"} 1
        pipeline_node_states{pipeline="measured",node="list",state="success"} 1
        pipeline_node_states{pipeline="measured",node="upload",state="success"} 3
        pipeline_node_states{pipeline="measured",node="after",state="skipped"} 1
        # HELP pipeline_node_attempts_total Attempts that began.
        # TYPE pipeline_node_attempts_total counter
        pipeline_node_attempts_total{pipeline="measured",node="export"} 1
        pipeline_node_attempts_total{pipeline="measured",node="never"} 1
        pipeline_node_attempts_total{pipeline="measured",node="list"} 2
        pipeline_node_attempts_total{pipeline="measured",node="upload"} 3
        pipeline_node_attempts_total{pipeline="measured",node="after"} 0
        # HELP pipeline_node_errors_total Attempts and pokes that ended in an error.
        # TYPE pipeline_node_errors_total counter
        pipeline_node_errors_total{pipeline="measured",node="export"} 0
        pipeline_node_errors_total{pipeline="measured",node="never"} 0
        pipeline_node_errors_total{pipeline="measured",node="list"} 1
        pipeline_node_errors_total{pipeline="measured",node="upload"} 0
        pipeline_node_errors_total{pipeline="measured",node="after"} 0
        # HELP pipeline_node_queue_seconds_total From when it could start until it did.
        # TYPE pipeline_node_queue_seconds_total counter
        pipeline_node_queue_seconds_total{pipeline="measured",node="export"} 0
        pipeline_node_queue_seconds_total{pipeline="measured",node="never"} 0
        pipeline_node_queue_seconds_total{pipeline="measured",node="list"} 0
        pipeline_node_queue_seconds_total{pipeline="measured",node="upload"} 30
        pipeline_node_queue_seconds_total{pipeline="measured",node="after"} 0
        # HELP pipeline_node_run_seconds_total How long its body ran.
        # TYPE pipeline_node_run_seconds_total counter
        pipeline_node_run_seconds_total{pipeline="measured",node="export"} 22
        pipeline_node_run_seconds_total{pipeline="measured",node="never"} 12
        pipeline_node_run_seconds_total{pipeline="measured",node="list"} 0
        pipeline_node_run_seconds_total{pipeline="measured",node="upload"} 30
        pipeline_node_run_seconds_total{pipeline="measured",node="after"} 0
        # HELP pipeline_sensor_pokes_total Pokes that began.
        # TYPE pipeline_sensor_pokes_total counter
        pipeline_sensor_pokes_total{pipeline="measured",node="export"} 11
        pipeline_sensor_pokes_total{pipeline="measured",node="never"} 6
        # HELP pipeline_sensor_wait_seconds_total From the first poke until the sensor ended.
        # TYPE pipeline_sensor_wait_seconds_total counter
        pipeline_sensor_wait_seconds_total{pipeline="measured",node="export"} 452
        pipeline_sensor_wait_seconds_total{pipeline="measured",node="never"} 302
        # HELP pipeline_sensor_timeouts_total Waits that outlasted the timeout.
        # TYPE pipeline_sensor_timeouts_total counter
        pipeline_sensor_timeouts_total{pipeline="measured",node="export"} 0
        pipeline_sensor_timeouts_total{pipeline="measured",node="never"} 1
        # HELP pipeline_sensor_detection_seconds From an object's arrival to the end of the poke that found it.
        # TYPE pipeline_sensor_detection_seconds gauge
        pipeline_sensor_detection_seconds{pipeline="measured",node="export"} 32
        # HELP pipeline_sensor_poke_duration_seconds How long pokes took.
        # TYPE pipeline_sensor_poke_duration_seconds histogram
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.001"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.005"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.01"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.025"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.05"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.1"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="0.25"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="1"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="2.5"} 11
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="10"} 11
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="30"} 11
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="60"} 11
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="export",le="+Inf"} 11
        pipeline_sensor_poke_duration_seconds_sum{pipeline="measured",node="export"} 22
        pipeline_sensor_poke_duration_seconds_count{pipeline="measured",node="export"} 11
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.001"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.005"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.01"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.025"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.05"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.1"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="0.25"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="1"} 0
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="2.5"} 6
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="10"} 6
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="30"} 6
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="60"} 6
        pipeline_sensor_poke_duration_seconds_bucket{pipeline="measured",node="never",le="+Inf"} 6
        pipeline_sensor_poke_duration_seconds_sum{pipeline="measured",node="never"} 12
        pipeline_sensor_poke_duration_seconds_count{pipeline="measured",node="never"} 6
    "#]]
    .assert_eq(&metrics().to_prometheus());
}

#[test]
fn json_for_programs() {
    let json: serde_json::Value = serde_json::from_str(&metrics().to_json()).unwrap();
    expect![[r#"
        {
          "attempts": 1,
          "detection_seconds": 32.0,
          "errors": 0,
          "node": "export",
          "poke_duration_seconds": {
            "buckets": {
              "0.001": 0,
              "0.005": 0,
              "0.01": 0,
              "0.025": 0,
              "0.05": 0,
              "0.1": 0,
              "0.25": 0,
              "1": 0,
              "10": 11,
              "2.5": 11,
              "30": 11,
              "60": 11
            },
            "count": 11,
            "max": 2.0,
            "sum": 22.0
          },
          "pokes": 11,
          "queue_seconds": 0.0,
          "run_seconds": 22.0,
          "states": {
            "success": 1
          },
          "timeouts": 0,
          "wait_seconds": 452.0
        }"#]]
    .assert_eq(&format!("{:#}", json["sensors"][0]));
    expect![[r#"
        {
          "attempts": 3,
          "errors": 0,
          "node": "upload",
          "queue_seconds": 30.0,
          "run_seconds": 30.0,
          "states": {
            "success": 3
          }
        }"#]]
    .assert_eq(&format!("{:#}", json["tasks"][1]));
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["duration_seconds", "pipeline", "sensors", "state", "tasks"]);
}

#[test]
fn a_file_is_json_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = metrics();
    for (name, text) in [("run.json", metrics.to_json() + "\n"), ("run.prom", metrics.to_prometheus())] {
        let path = folder.path().join(name);
        metrics.write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing else is left");
    assert!(metrics.write(&folder.path().join("no/such/folder")).is_err());
}
