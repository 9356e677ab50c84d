//! Each problem with a file is reported so that a user can fix it: bucket, key, place, problem, expectation. The node is not
//! retried, and nothing is half written.

use crate::support::{Folder, path_of};
use expect_test::{Expect, expect};
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CUSTOMERS, DAILY_EXPORT, MockFile, TRANSACTIONS, VALIDATION};
use pipeline_runtime::{NodeState, RunReport, RunState};

/// With these contents of the file, the node fails at its first attempt with this error, and nothing is written.
#[track_caller]
fn check(file: MockFile, contents: impl AsRef<[u8]>, node: &str, error: &Expect) {
    let folder = Folder::new();
    folder.write(&path_of(file), contents);
    fails(&folder, &if file == DAILY_EXPORT { folder.run_task_1() } else { folder.run_task_2() }, node, error);
}

#[track_caller]
fn fails(folder: &Folder, report: &RunReport, node: &str, error: &Expect) {
    assert_eq!(report.state(), RunState::Failed, "{}", report.timeline());
    let node = report.node(node);
    assert_eq!((node.state(), node.attempts()), (NodeState::Failed, 1), "{}", report.timeline());
    assert!(folder.names("data-bucket/processed").is_empty());
    error.assert_eq(&node.error().unwrap().replace(folder.root().to_str().unwrap(), "/mock"));
}

#[track_caller]
fn export(contents: impl AsRef<[u8]>, error: &Expect) {
    check(DAILY_EXPORT, contents, "process", error);
}

#[track_caller]
fn transactions(contents: impl AsRef<[u8]>, error: &Expect) {
    check(TRANSACTIONS, contents, "join_customers", error);
}

#[track_caller]
fn customers(contents: impl AsRef<[u8]>, error: &Expect) {
    check(CUSTOMERS, contents, "join_customers", error);
}

#[track_caller]
fn config(contents: impl AsRef<[u8]>, error: &Expect) {
    check(CONFIG, contents, "read_config", error);
}

#[track_caller]
fn validation(contents: impl AsRef<[u8]>, error: &Expect) {
    check(VALIDATION, contents, "check_validation", error);
}

#[test]
fn an_empty_file() {
    export(
        "",
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json: the file is empty; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    transactions(
        "",
        &expect![
            "data-bucket/raw/transactions_20240325.csv: the file is empty; expected CSV whose first line names the columns `id`, `amount` and `customer`"
        ],
    );
    customers(
        " \n",
        &expect![[
            r#"data-bucket/raw/customers_20240325.json: the file is empty; expected JSON such as {"customers": [{"id": "customer1", "name": "John"}]}"#
        ]],
    );
    config(
        "\n",
        &expect![
            "config-bucket/daily/processing_config_20240325.yaml: the file is empty; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"
        ],
    );
    validation(
        "",
        &expect![
            "logs-bucket/validation/data_quality_20240325.log: the file is empty; expected lines such as `INFO: Data validation completed successfully`, none of them an ERROR"
        ],
    );
}

#[test]
fn no_text() {
    export(
        b"{\"records\": [{\"id\": 1,\n \"value\": \"\xff\"}]}",
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 2, column 12: the text is not UTF-8; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    transactions(
        b"id,amount,customer\n1,100.00,customer\xe9",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 2, column 18: the text is not UTF-8; expected CSV whose first line names the columns `id`, `amount` and `customer`"
        ],
    );
}

#[test]
fn malformed_json() {
    export(
        "{\"records\": [\n{\"id\": 1, \"value\": \"test\"",
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 2, column 25, `records[0]`: EOF while parsing an object; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    export(
        "{\"records\": [,]}",
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 1, column 14, `records[0]`: expected value; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    export(
        "Test content for daily_export_20240325.json",
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 1, column 1: expected value; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    export(
        "{\"records\": []}{\"records\": []}",
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 1, column 16: trailing characters; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    customers(
        "[]",
        &expect![[
            r#"data-bucket/raw/customers_20240325.json, line 1, column 2: invalid length 0, expected an object with `customers`; expected JSON such as {"customers": [{"id": "customer1", "name": "John"}]}"#
        ]],
    );
}

#[test]
fn a_missing_field_or_one_of_the_wrong_type() {
    export(
        r#"{"rows": []}"#,
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 1, column 12: missing field `records`; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    export(
        r#"{"records": [{"id": 1, "value": "a"}, {"id": 2}]}"#,
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 1, column 47, `records[1]`: missing field `value`; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    export(
        r#"{"records": [{"id": "1", "value": "a"}]}"#,
        &expect![[
            r#"data-bucket/raw/daily_export_20240325.json, line 1, column 23, `records[0].id`: invalid type: string "1", expected u64; expected JSON such as {"records": [{"id": 1, "value": "test"}]}"#
        ]],
    );
    customers(
        r#"{"customers": [{"id": 1, "name": "John"}]}"#,
        &expect![[
            r#"data-bucket/raw/customers_20240325.json, line 1, column 23, `customers[0].id`: invalid type: integer `1`, expected a string; expected JSON such as {"customers": [{"id": "customer1", "name": "John"}]}"#
        ]],
    );
}

#[test]
fn malformed_csv() {
    transactions(
        "id,amount,customer\n1,100.00\n",
        &expect!["data-bucket/raw/transactions_20240325.csv, line 2: found 2 fields; expected 3, as in the first line"],
    );
    transactions(
        "id,amount,customer\n1,\"100.00,customer1\n2,250.50,customer2\n",
        &expect!["data-bucket/raw/transactions_20240325.csv, line 2: found 2 fields; expected 3, as in the first line"],
    );
}

#[test]
fn a_missing_column() {
    transactions(
        "id,value,customer\n1,100.00,customer1\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 1: there is no column `amount` among `id`, `value`, `customer`; expected CSV whose first line names the columns `id`, `amount` and `customer`"
        ],
    );
    transactions(
        "1,100.00,customer1\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 1: there is no column `id` among `1`, `100.00`, `customer1`; expected CSV whose first line names the columns `id`, `amount` and `customer`"
        ],
    );
}

#[test]
fn a_column_of_the_wrong_type() {
    transactions(
        "id,amount,customer\n1,100.00,customer1\n2,\"1,50\",customer2\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 3, column `amount`: found `1,50`; expected an amount such as `250.50`"
        ],
    );
    transactions(
        "id,amount,customer\n1,1e3,customer1\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 2, column `amount`: found `1e3`; expected an amount such as `250.50`"
        ],
    );
    transactions(
        "id,amount,customer\n-1,100.00,customer1\n",
        &expect!["data-bucket/raw/transactions_20240325.csv, line 2, column `id`: found `-1`; expected a whole number"],
    );
    transactions(
        "id,amount,customer\n1,,customer1\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 2, column `amount`: found nothing; expected an amount such as `250.50`"
        ],
    );
    transactions(
        "id,amount,customer\n1,100.00,\n",
        &expect!["data-bucket/raw/transactions_20240325.csv, line 2, column `customer`: found nothing; expected a customer's id"],
    );
}

#[test]
fn an_amount_that_cannot_be_had_exactly() {
    transactions(
        "id,amount,customer\n1,0.00000000000000000000000000000000001,customer1\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 2, column `amount`: found `0.00000000000000000000000000000000001`; expected an amount such as `250.50`"
        ],
    );
    let most = "79228162514264337593543950335";
    transactions(
        format!("id,amount,customer\n1,{most},customer1\n2,1,customer2\n"),
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 3, column `amount`: the total is too large; expected at most 28 digits"
        ],
    );
}

#[test]
fn duplicate_ids() {
    export(
        r#"{"records": [{"id": 7, "value": "a"}, {"id": 7, "value": "b"}]}"#,
        &expect![
            "data-bucket/raw/daily_export_20240325.json, `records[1].id`: the id 7 is already used in `records[0]`; expected each id once"
        ],
    );
    transactions(
        "id,amount,customer\n7,100.00,customer1\n7,100.00,customer1\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 3, column `id`: the id 7 is already used in line 2; expected each id once"
        ],
    );
    customers(
        r#"{"customers": [{"id": "customer1", "name": "John"}, {"id": "customer1", "name": "Jane"}]}"#,
        &expect![
            "data-bucket/raw/customers_20240325.json, `customers[1].id`: the id `customer1` is already used; expected each id once"
        ],
    );
}

#[test]
fn an_unknown_customer() {
    transactions(
        "id,amount,customer\n1,100.00,customer1\n2,250.50,customer3\n",
        &expect![
            "data-bucket/raw/transactions_20240325.csv, line 3, column `customer`: there is no customer `customer3`; expected one of those in data-bucket/raw/customers_20240325.json"
        ],
    );
}

#[test]
fn malformed_yaml() {
    config(
        "processing:\n  batch_size: 1000\n timeout: 300",
        &expect![
            "config-bucket/daily/processing_config_20240325.yaml, line 2, column 3: processing: missing field `timeout`; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"
        ],
    );
    config(
        "processing: {batch_size: 1000",
        &expect![
            "config-bucket/daily/processing_config_20240325.yaml, line 2, column 1: did not find expected ',' or '}' at line 2 column 1, while parsing a flow mapping at line 1 column 13; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"
        ],
    );
    config(
        "Test content for processing_config_20240325.yaml",
        &expect![[
            r#"config-bucket/daily/processing_config_20240325.yaml, line 1, column 1: invalid type: string "Test content for processing_config_20240325.yaml", expected a mapping with `processing:`; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"#
        ]],
    );
}

#[test]
fn a_configuration_that_makes_no_sense() {
    config(
        "processing:\n  batch_size: 0\n  timeout: 300",
        &expect![
            "config-bucket/daily/processing_config_20240325.yaml, line 2, column 15: processing.batch_size: invalid value: integer `0`, expected a nonzero usize; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"
        ],
    );
    config(
        "processing:\n  batch_size: many\n  timeout: 300",
        &expect![[
            r#"config-bucket/daily/processing_config_20240325.yaml, line 2, column 15: processing.batch_size: invalid type: string "many", expected a nonzero usize; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"#
        ]],
    );
    config(
        "processing:\n  batchsize: 1000\n  timeout: 300",
        &expect![
            "config-bucket/daily/processing_config_20240325.yaml, line 2, column 3: processing: unknown field `batchsize`, expected `batch_size` or `timeout`; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"
        ],
    );
    config(
        "processing:\n  batch_size: 1000",
        &expect![
            "config-bucket/daily/processing_config_20240325.yaml, line 2, column 3: processing: missing field `timeout`; expected YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0"
        ],
    );
}

#[test]
fn data_that_did_not_pass_its_validation() {
    validation(
        "INFO: started\nERROR: 3 rows without an id\nINFO: done",
        &expect![
            "logs-bucket/validation/data_quality_20240325.log, line 2: the validation failed: `ERROR: 3 rows without an id`; expected a log without errors"
        ],
    );
    validation(
        "Test content for data_quality_20240325.log",
        &expect![
            "logs-bucket/validation/data_quality_20240325.log, line 1: `Test content for data_quality_20240325.log` has no level; expected lines such as `INFO: Data validation completed successfully`, none of them an ERROR"
        ],
    );
}

#[test]
fn a_missing_bucket() {
    let folder = Folder::new();
    std::fs::remove_dir_all(folder.root().join("config-bucket")).unwrap();
    fails(
        &folder,
        &folder.run_task_2(),
        "config_file",
        &expect![
            "could not look for `daily/processing_config_20240325.yaml` in `file:///mock/config-bucket`: there is no such bucket; create the folder, or correct the URL: No such file or directory (os error 2)"
        ],
    );
}

/// The user who runs the tests may have all permissions, so this is a file that nobody can read.
#[cfg(target_os = "linux")]
#[test]
fn an_unreadable_file() {
    let folder = Folder::new();
    let file = folder.root().join(path_of(DAILY_EXPORT));
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &file).unwrap();
    let report = folder.run_task_1();
    assert_eq!((report.node("process").state(), report.node("process").attempts()), (NodeState::Failed, 2), "a disk may recover");
    assert!(folder.names("data-bucket/processed").is_empty());
    let error = report.node("process").error().unwrap().replace(folder.root().to_str().unwrap(), "/mock");
    expect!["could not read `raw/daily_export_20240325.json` in `file:///mock/data-bucket`: Input/output error (os error 5)"]
        .assert_eq(&error);
}

/// On `file://` nothing is written where a link leads out of the bucket.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written() {
    let (folder, elsewhere) = (Folder::new(), tempfile::tempdir().unwrap());
    let archive = folder.root().join("data-bucket/archive");
    std::fs::remove_dir(&archive).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &archive).unwrap();
    let report = folder.run_task_1();
    assert_eq!((report.node("archive").state(), report.node("archive").attempts()), (NodeState::Failed, 1));
    assert!(folder.exists(&path_of(DAILY_EXPORT)), "the export stays where it is");
    let error = report.node("archive").error().unwrap().replace(folder.root().to_str().unwrap(), "/mock");
    expect!["could not rename `raw/daily_export_20240325.json` to `archive/daily_export_20240325.json` in `file:///mock/data-bucket`: a symbolic link leads out of the bucket, and writing does not follow it"].assert_eq(&error);
}
