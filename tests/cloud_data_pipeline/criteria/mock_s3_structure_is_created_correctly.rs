use crate::figures::figure;
use crate::support::{DAY, seconds};
use pipeline_examples::cloud_data_pipeline::mock_s3::{Command, DEFAULT_ROOT};
use pipeline_examples::cloud_data_pipeline::pipelines::{Options, day_before, day_of};
use pipeline_runtime::Clock;
use std::path::Path;

/// All entries below a folder; folders end in `/`.
fn tree(root: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.push(format!("{name}/"));
                walk(root, &path, found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

/// The output of `mock-s3`, with `/mock` for the root.
async fn mock_s3(root: &Path, clock: Clock, delayed: bool, empty: bool) -> String {
    let mut out = Vec::new();
    let command = Command { root: root.to_owned(), date: Some(DAY), delayed, empty };
    command.run(clock, &mut out).await.unwrap();
    String::from_utf8(out).unwrap().replace(root.to_str().unwrap(), "/mock")
}

/// The folders of the exercise's structure and setup, and those that task 3 and the regions add.
const FOLDERS: [&str; 18] = [
    "config-bucket/",
    "config-bucket/daily/",
    "data-bucket-ap-southeast-1/",
    "data-bucket-ap-southeast-1/raw/",
    "data-bucket-eu-west-1/",
    "data-bucket-eu-west-1/raw/",
    "data-bucket-us-east-1/",
    "data-bucket-us-east-1/raw/",
    "data-bucket/",
    "data-bucket/archive/",
    "data-bucket/processed/",
    "data-bucket/raw/",
    "enterprise-bucket/",
    "enterprise-bucket/critical/",
    "logs-bucket/",
    "logs-bucket/access/",
    "logs-bucket/application/",
    "logs-bucket/validation/",
];

#[tokio::test]
async fn with_the_folders_of_the_exercise() {
    let root = tempfile::tempdir().unwrap();
    let out = mock_s3(root.path(), Clock::system(), false, true).await;
    assert_eq!(tree(root.path()), FOLDERS);
    assert_eq!(out, "Mock S3 at file:///mock, with the files of 2024-03-25\n");
    let buckets = FOLDERS.iter().filter(|folder| folder.matches('/').count() == 1).count();
    figure!(format!("{buckets} buckets, {} folders in them", FOLDERS.len() - buckets));
}

#[tokio::test]
async fn with_the_test_files_of_the_exercise() {
    let root = tempfile::tempdir().unwrap();
    let out = mock_s3(root.path(), Clock::system(), false, false).await;
    // The contents are those of the exercise's `setup_mock_s3_environment` and of task 3.
    let files = [
        ("data-bucket/raw/daily_export_20240325.json", r#"{"records": [{"id": 1, "value": "test"}]}"#),
        ("data-bucket/raw/transactions_20240325.csv", "id,amount,customer\n1,100.00,customer1\n2,250.50,customer2"),
        (
            "data-bucket/raw/customers_20240325.json",
            r#"{"customers": [{"id": "customer1", "name": "John"}, {"id": "customer2", "name": "Jane"}]}"#,
        ),
        ("config-bucket/daily/processing_config_20240325.yaml", "processing:\n  batch_size: 1000\n  timeout: 300"),
        (
            "logs-bucket/validation/data_quality_20240325.log",
            "INFO: Data validation completed successfully\nINFO: 2 records processed",
        ),
        (
            "enterprise-bucket/critical/critical_data_20240325.json",
            r#"{"critical_metrics": {"revenue": 1000000, "transactions": 50000, "errors": 12}, "status": "CRITICAL"}"#,
        ),
    ];
    for (name, contents) in files {
        assert_eq!(std::fs::read_to_string(root.path().join(name)).unwrap(), contents);
        assert!(out.contains(&format!("Created: /mock/{name}\n")), "{out}");
    }
    assert_eq!(tree(root.path()).len(), FOLDERS.len() + files.len());
    figure!(format!("{} files", files.len()));
}

#[tokio::test]
async fn and_filled_with_the_delays_of_the_exercise() {
    let root = tempfile::tempdir().unwrap();
    let clock = Clock::system().faster(10_000);
    let start = clock.now();
    let out = mock_s3(root.path(), clock, true, false).await;
    assert!(clock.now().since(start) >= seconds(10 + 30 + 60 + 120));
    expect_test::expect![[r"
        Mock S3 at file:///mock, with the files of 2024-03-25
        Created delayed file: /mock/config-bucket/daily/processing_config_20240325.yaml (after 10s)
        Created delayed file: /mock/data-bucket/raw/transactions_20240325.csv (after 30s)
        Created delayed file: /mock/data-bucket/raw/customers_20240325.json (after 60s)
        Created delayed file: /mock/logs-bucket/validation/data_quality_20240325.log (after 120s)
    "]]
    .assert_eq(&out);
    assert_eq!(tree(root.path()).len(), FOLDERS.len() + 4);
}

#[tokio::test]
async fn twice_without_harm() {
    let root = tempfile::tempdir().unwrap();
    mock_s3(root.path(), Clock::system(), false, false).await;
    let first = tree(root.path());
    mock_s3(root.path(), Clock::system(), false, false).await;
    assert_eq!(tree(root.path()), first);
}

#[test]
fn where_the_pipelines_look_by_default() {
    assert_eq!(Options::default().store, format!("file://{DEFAULT_ROOT}"));
}

#[test]
fn for_the_day_that_a_run_waits_for() {
    assert_eq!(day_before("2024-03-26T09:00:00Z".parse().unwrap()).unwrap(), DAY, "the last day that is over");
    assert_eq!(day_before("2024-03-26T00:00:00Z".parse().unwrap()).unwrap(), DAY);
    assert_eq!(day_of("2024-03-25").unwrap(), DAY);
    assert_eq!(day_of("2024-03-25T06:00:00Z").unwrap(), DAY);
    let error = day_of("yesterday").unwrap_err().to_string();
    assert!(error.contains("yesterday"), "{error}");
}
