use crate::support::{Arrive, seconds, task_1, task_2};
use pipeline_examples::cloud_data_pipeline::mock_s3::DAILY_EXPORT;
use pipeline_runtime::RunReport;
use std::time::Duration;

/// Who was told what and when.
fn told(report: &RunReport) -> Vec<(String, Option<String>, Duration)> {
    let callbacks = report.callbacks();
    assert!(callbacks.iter().all(|callback| callback.told().is_some()), "{}", report.timeline());
    callbacks.iter().map(|callback| (callback.name().to_owned(), callback.node().map(str::to_owned), callback.at())).collect()
}

#[test]
fn a_run_that_fails_pages_on_call_once() {
    let report = task_1().run();
    assert_eq!(told(&report), [("on_failure".to_owned(), None, seconds(600))]);
    let report = task_2().run();
    let names: Vec<String> = told(&report).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["on_sla_miss", "on_failure"]);
}

#[test]
fn a_run_that_succeeds_pages_nobody() {
    assert_eq!(told(&task_1().file("7m", DAILY_EXPORT).fail("process", 1, "503").run()), []);
}

#[test]
fn the_last_task_tells_of_success() {
    let report = task_1().file("0s", DAILY_EXPORT).run();
    expect_test::expect!["processed 1 record(s); the export is at data-bucket/archive/daily_export_20240325.json"]
        .assert_eq(&report.output::<String>("notify").unwrap());
}

#[test]
fn the_last_task_tells_of_failure_and_names_its_root() {
    let report = task_1().run();
    expect_test::expect!["`daily_export` failed at attempt 1: timed out: not ready within 10m (15 pokes)"]
        .assert_eq(&report.output::<String>("notify").unwrap());
    let report = task_1().file("0s", DAILY_EXPORT).fail("archive", 1, "503").fail("archive", 2, "507 Insufficient Storage").run();
    expect_test::expect!["`archive` failed at attempt 2: 507 Insufficient Storage"]
        .assert_eq(&report.output::<String>("notify").unwrap());
}
