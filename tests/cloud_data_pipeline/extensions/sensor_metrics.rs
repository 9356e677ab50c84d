use crate::figures::figure;
use crate::support::{Arrive, task_2, task_3};
use expect_test::expect;
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CRITICAL_DATA, CUSTOMERS, TRANSACTIONS, VALIDATION};
use pipeline_examples::cloud_data_pipeline::pipelines::advanced::{Analysis, Sensed};
use pipeline_runtime::{RunState, Simulation};
use std::time::Duration;

/// The exercise's delays, one after the other, on buckets that take two seconds to answer.
fn four_late_files<'a>() -> Simulation<'a> {
    let slow = ["data-bucket", "config-bucket", "logs-bucket"].map(|bucket| format!("memory://{bucket}"));
    let files = [("10s", CONFIG), ("40s", TRANSACTIONS), ("100s", CUSTOMERS), ("220s", VALIDATION)];
    let slow = slow.iter().fold(task_2(), |so_far, bucket| so_far.latency(bucket, "2s"));
    files.into_iter().fold(slow, |so_far, (when, file)| so_far.file(when, file))
}

#[test]
fn a_table_for_people() {
    let report = four_late_files().run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    expect![[r#"
        multi_bucket_pipeline: success after 3m 55s
        sensor             state    pokes    wait  found after  poke mean  poke max  timeouts  errors  queued
        transactions_file  success      3   1m 2s          22s         2s        2s         0       0      0s
        customers_file     success      4  2m 17s          37s         2s        2s         0       0      0s
        config_file        success      2     17s           7s         2s        2s         0       0      0s
        validation_log     success      6  3m 47s           7s         2s        2s         0       0      0s

        task              state    attempts  errors  queued  ran
        all_arrived       success         1       0      0s   0s
        check_validation  success         1       0      0s   2s
        read_config       success         1       0      0s   2s
        join_customers    success         1       0      0s   6s
        report            success         1       0      0s   0s
    "#]]
    .assert_eq(&report.metrics().to_string());
    let metrics = report.metrics();
    let pokes: Vec<String> = metrics.sensors.iter().map(|sensor| format!("{} {}", sensor.node.node, sensor.pokes)).collect();
    figure!(format!("pokes: {}", pokes.join(", ")));
}

#[test]
fn json_for_programs() {
    let json: serde_json::Value = serde_json::from_str(&four_late_files().run().metrics().to_json()).unwrap();
    let validation = json["sensors"].as_array().unwrap().iter().find(|sensor| sensor["node"] == "validation_log").unwrap();
    let [wait, detection, slowest] = ["/wait_seconds", "/detection_seconds", "/poke_duration_seconds/max"]
        .map(|path| validation.pointer(path).and_then(serde_json::Value::as_f64).unwrap());
    figure!(format!("validation_log waited {wait} s, was found {detection} s after its arrival, slowest poke {slowest} s"));
}

#[test]
fn what_the_sensor_of_task_3_keeps_itself_is_what_the_engine_counts() {
    let report = task_3()
        .latency("memory://enterprise-bucket", "2s")
        .outage("memory://enterprise-bucket", "0s", "1m")
        .file("10m", CRITICAL_DATA)
        .run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let kept = report.output::<Sensed>("enterprise_critical_sensor").unwrap().performance;
    let metrics = report.metrics();
    let counted = metrics.sensor("enterprise_critical_sensor").unwrap();
    assert_eq!((u64::from(kept.pokes), u64::from(kept.errors)), (counted.pokes, counted.node.errors));
    assert_eq!((kept.total, kept.slowest), (counted.poke_duration.sum, counted.poke_duration.max));
    let Analysis { measurements, average, success_rate } =
        report.output::<Option<Analysis>>("analyze_performance").unwrap().unwrap();
    assert_eq!(average, Duration::from_secs(2));
    figure!(format!("{measurements} pokes, 2 s on average, {success_rate:.1} % without an error"));
}
