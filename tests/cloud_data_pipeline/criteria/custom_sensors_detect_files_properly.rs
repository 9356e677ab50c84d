use crate::figures::figure;
use crate::support::{Arrive, FOUR_FILES, in_seconds, seconds, task_1, task_2};
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CUSTOMERS, DAILY_EXPORT, TRANSACTIONS, VALIDATION};
use pipeline_runtime::{Object, RunState};

#[test]
fn a_file_that_is_there_at_the_first_poke() {
    let report = task_1().file("0s", DAILY_EXPORT).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(in_seconds(report.node("daily_export").poke_times()), [0.0]);
}

#[test]
fn a_file_that_arrives_seven_minutes_late_at_the_next_poke() {
    let report = task_1().file("7m", DAILY_EXPORT).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("daily_export").pokes(), 11);
    assert_eq!(report.node("daily_export").finished(), Some(seconds(450)));
    let (pokes, found) = (report.node("daily_export").pokes(), report.node("daily_export").finished().unwrap());
    figure!(format!("arrived at 420 s, found by poke {pokes} at {} s", found.as_secs()));
}

#[test]
fn only_the_file_of_the_logical_date() {
    let report = task_1().arrive("0s", "memory://data-bucket/raw/daily_export_20240324.json", DAILY_EXPORT.contents).run();
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.node("daily_export").finished(), Some(seconds(600)));
}

#[test]
fn and_hand_on_what_they_found() {
    let report = task_1().file("0s", DAILY_EXPORT).run();
    let object = report.output::<Object>("daily_export").unwrap();
    assert_eq!((object.bucket.as_str(), object.key.as_str()), ("data-bucket", "raw/daily_export_20240325.json"));
    assert_eq!(object.size, DAILY_EXPORT.contents.len() as u64);
}

#[test]
fn four_files_in_three_buckets_each_by_its_own_interval() {
    // The exercise's delays, one after the other.
    let report = task_2().file("10s", CONFIG).file("40s", TRANSACTIONS).file("100s", CUSTOMERS).file("220s", VALIDATION).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let found = |id: &str| report.node(id).finished().unwrap().as_secs();
    assert_eq!(found("config_file"), 15);
    assert_eq!(found("transactions_file"), 60);
    assert_eq!(found("customers_file"), 135);
    assert_eq!(found("validation_log"), 225);
    let [config, transactions, customers, validation] =
        ["config_file", "transactions_file", "customers_file", "validation_log"].map(found);
    figure!(format!("arrived at 10, 40, 100 and 220 s, found at {config}, {transactions}, {customers} and {validation} s"));
}

#[test]
fn a_missing_bucket_is_no_missing_file() {
    // In memory the other buckets exist and are empty; on disk their folders are missing.
    let root = tempfile::tempdir().unwrap();
    let store = format!("file://{}", root.path().display());
    let report = task_1().params(serde_json::json!({ "store": store })).run();
    assert_eq!(report.node("daily_export").finished(), Some(seconds(0)), "at once, not after ten minutes");
    assert_eq!(report.node("daily_export").attempts(), 1);
    let error = report.node("daily_export").error().unwrap().replace(&store, "file:///mock");
    expect_test::expect!["could not look for `raw/daily_export_20240325.json` in `file:///mock/data-bucket`: there is no such bucket; create the folder, or correct the URL: No such file or directory (os error 2)"].assert_eq(&error);
}

#[test]
fn whichever_order_they_arrive_in() {
    for first in 0..FOUR_FILES.len() {
        let order = FOUR_FILES.iter().cycle().skip(first).take(4).zip(["0s", "50s", "100s", "150s"]);
        let report = order.fold(task_2(), |simulation, (file, when)| simulation.file(when, *file)).run();
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    }
}
