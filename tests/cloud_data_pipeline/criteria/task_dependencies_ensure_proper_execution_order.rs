use crate::figures::figure;
use crate::support::{Arrive, Folder, seconds, task_1, task_2};
use pipeline_examples::cloud_data_pipeline::domain::join::Joined;
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CUSTOMERS, DAILY_EXPORT, TRANSACTIONS, VALIDATION};
use pipeline_runtime::{NodeState, RunReport, RunState};

/// Asserts that each of these nodes starts after the one before it has ended.
#[track_caller]
fn assert_order(report: &RunReport, ids: &[&str]) {
    for pair in ids.windows(2) {
        let (before, after) = (report.node(pair[0]), report.node(pair[1]));
        assert!(before.finished().is_some() && before.finished() <= after.started(), "{pair:?}\n{}", report.timeline());
    }
}

#[test]
fn the_export_is_processed_then_archived_then_told_of() {
    // Retries put five minutes between the steps.
    let report = task_1().file("1m", DAILY_EXPORT).fail("process", 1, "503").fail("archive", 1, "503").run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_order(&report, &["daily_export", "process", "archive", "notify"]);
    assert_eq!(report.node("notify").started(), Some(seconds(90 + 300 + 300)));
    let started = |id: &str| format!("{id} at {} s", report.node(id).started().unwrap().as_secs());
    figure!(["process", "archive", "notify"].map(started).join(", "));
}

#[test]
fn the_export_stays_where_it_is_until_its_summary_exists() {
    let folder = Folder::new();
    folder.write("data-bucket/raw/daily_export_20240325.json", "{");
    let report = folder.run_task_1();
    assert_eq!(report.node("process").state(), NodeState::Failed);
    assert_eq!(report.node("archive").state(), NodeState::UpstreamFailed);
    assert!(folder.exists("data-bucket/raw/daily_export_20240325.json"));
    assert!(folder.names("data-bucket/processed").is_empty() && folder.names("data-bucket/archive").is_empty());
}

#[test]
fn the_export_ends_in_the_archive_beside_its_summary() {
    let folder = Folder::new();
    let report = folder.run_task_1();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert!(!folder.exists("data-bucket/raw/daily_export_20240325.json"));
    assert_eq!(folder.read("data-bucket/archive/daily_export_20240325.json"), DAILY_EXPORT.contents);
    expect_test::expect![[r#"
        {
          "export": "daily_export_20240325.json",
          "records": 1,
          "distinct_values": 1
        }"#]]
    .assert_eq(&folder.read("data-bucket/processed/daily_export_20240325_summary.json"));
}

#[test]
fn nothing_of_task_2_is_processed_before_all_four_files_are_there() {
    let mut first_starts = Vec::new();
    for last in [CONFIG, TRANSACTIONS, CUSTOMERS, VALIDATION] {
        let others = [CONFIG, TRANSACTIONS, CUSTOMERS, VALIDATION].into_iter().filter(|file| *file != last);
        let report = others.fold(task_2(), |simulation, file| simulation.file("0s", file)).file("3m", last).run();
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        for id in ["all_arrived", "check_validation", "read_config", "join_customers"] {
            assert_eq!(report.node(id).started(), Some(seconds(180)), "{id}");
        }
        first_starts.push(report.node("all_arrived").started().unwrap().as_secs().to_string());
    }
    figure!(format!("each of the four files in turn the last, at 180 s: processing starts at {} s", first_starts.join(", ")));
}

#[test]
fn transactions_are_joined_only_once_the_validation_is_checked() {
    let at_once = [CONFIG, TRANSACTIONS, CUSTOMERS, VALIDATION];
    let report = at_once.iter().fold(task_2(), |simulation, file| simulation.file("0s", *file));
    let report = report.fail("check_validation", 1, "503").run();
    assert_order(&report, &["validation_log", "all_arrived", "check_validation", "join_customers", "report"]);
    assert_eq!(report.node("join_customers").started(), Some(seconds(300)));
}

#[test]
fn transactions_are_joined_with_customers_in_batches_of_the_configured_size() {
    let folder = Folder::new();
    folder.write("config-bucket/daily/processing_config_20240325.yaml", "processing:\n  batch_size: 2\n  timeout: 300");
    let transactions = "id,amount,customer\n1,0.10,customer1\n2,0.20,customer2\n3,-0.05,customer1\n";
    folder.write("data-bucket/raw/transactions_20240325.csv", transactions);
    let report = folder.run_task_2();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let joined = report.output::<Joined>("join_customers").unwrap();
    assert_eq!((joined.transactions, joined.batches), (3, 2));
    assert_eq!(joined.total.to_string(), "0.25", "exactly");
    expect_test::expect![[r#"
        id,amount,customer,name
        1,0.10,customer1,John
        2,0.20,customer2,Jane
        3,-0.05,customer1,John
    "#]]
    .assert_eq(&folder.read("data-bucket/processed/transactions_20240325.csv"));
}

#[test]
fn a_failed_sensor_lets_nothing_start_that_needs_its_file() {
    let report = task_2().file("0s", TRANSACTIONS).file("0s", CUSTOMERS).file("0s", VALIDATION).run();
    assert_eq!(report.node("config_file").state(), NodeState::Failed);
    for id in ["all_arrived", "check_validation", "read_config", "join_customers"] {
        assert_eq!(report.node(id).state(), NodeState::UpstreamFailed, "{id}");
    }
    assert_eq!(report.node("report").state(), NodeState::Success, "it reports any outcome");
    assert_eq!(report.state(), RunState::Failed, "a cleanup leaf hides no failure");
}
