//! Single tasks, called directly as functions.

use crate::support::{DAY, FOUR_FILES};
use expect_test::expect;
use pipeline_examples::cloud_data_pipeline::domain::export::Summary;
use pipeline_examples::cloud_data_pipeline::domain::validation::Validation;
use pipeline_examples::cloud_data_pipeline::mock_s3::{DAILY_EXPORT, MockFile};
use pipeline_examples::cloud_data_pipeline::pipelines::daily_export::{daily_export, notify, process};
use pipeline_examples::cloud_data_pipeline::pipelines::multi_bucket::{
    Arrived, check_validation, join_customers, read_config, transactions_file,
};
use pipeline_runtime::{Bucket, Object, Outcome, Poke};

fn bucket(test: &str) -> Bucket {
    Bucket::open(&format!("memory://bodies-{test}")).unwrap()
}

async fn put(bucket: &Bucket, file: MockFile) -> Object {
    bucket.put(&file.key(DAY), file.contents).await.unwrap()
}

#[tokio::test]
async fn a_sensor_answers_not_yet_until_its_file_is_there() {
    let bucket = bucket("sensor");
    let key = DAILY_EXPORT.key(DAY);
    assert_eq!(daily_export::call(bucket.clone(), key.clone()).await.unwrap(), Poke::NotYet);
    assert_eq!(transactions_file::call(bucket.clone(), key.clone()).await.unwrap(), Poke::NotYet);
    let object = put(&bucket, DAILY_EXPORT).await;
    assert_eq!(daily_export::call(bucket.clone(), key.clone()).await.unwrap(), Poke::Ready(object.clone()));
    assert_eq!(transactions_file::call(bucket, key).await.unwrap(), Poke::Ready(object));
}

#[tokio::test]
async fn process_counts_records_and_values() {
    let bucket = bucket("process");
    let contents = r#"{"records": [{"id": 1, "value": "a"}, {"id": 2, "value": "b"}, {"id": 3, "value": "a"}]}"#;
    let export = bucket.put(&DAILY_EXPORT.key(DAY), contents).await.unwrap();
    let summary = process::call(bucket.clone(), export).await.unwrap();
    assert_eq!(summary, Summary { export: "daily_export_20240325.json".into(), records: 3, distinct_values: 2 });
    let written = bucket.get("processed/daily_export_20240325_summary.json").await.unwrap();
    assert_eq!(serde_json::from_slice::<Summary>(&written).unwrap(), summary);
}

#[tokio::test]
async fn notify_tells_of_a_day_without_anything() {
    assert_eq!(notify::call(Outcome::Skipped, Outcome::Skipped).await.unwrap(), "nothing to do");
}

#[tokio::test]
async fn the_steps_of_task_2_lead_from_files_to_a_result() {
    // The steps work on one bucket as well as on three.
    let bucket = bucket("steps");
    let mut objects = Vec::new();
    for file in FOUR_FILES {
        objects.push(put(&bucket, file).await);
    }
    let [config, transactions, customers, validation] = objects.try_into().unwrap();
    let files = Arrived { transactions, customers, config, validation };

    let validation = check_validation::call(bucket.clone(), files.clone()).await.unwrap();
    assert_eq!(validation, Validation { lines: 2, warnings: Vec::new() });
    let config = read_config::call(bucket.clone(), files.clone()).await.unwrap();
    assert_eq!((config.batch_size.get(), config.timeout().as_secs()), (1000, 300));
    let joined = join_customers::call(bucket.clone(), files, config).await.unwrap();
    assert_eq!((joined.transactions, joined.batches, joined.total.to_string().as_str()), (2, 1, "350.50"));
    let written = bucket.get("processed/transactions_20240325.csv").await.unwrap();
    expect![[r#"
        id,amount,customer,name
        1,100.00,customer1,John
        2,250.50,customer2,Jane
    "#]]
    .assert_eq(std::str::from_utf8(&written).unwrap());
}

#[tokio::test]
async fn warnings_are_kept_and_fail_nothing() {
    let bucket = bucket("warnings");
    let log = bucket.put("validation.log", "INFO: started\nWARN: 1 row without a name\n\nINFO: done\n").await.unwrap();
    let files = Arrived { transactions: log.clone(), customers: log.clone(), config: log.clone(), validation: log };
    let validation = check_validation::call(bucket, files).await.unwrap();
    assert_eq!(validation, Validation { lines: 3, warnings: vec!["WARN: 1 row without a name".into()] });
}

#[tokio::test]
async fn a_day_without_transactions_is_a_day() {
    let bucket = bucket("none");
    let files = Arrived {
        transactions: bucket.put("raw/transactions_20240325.csv", "\u{feff}id,amount,customer\r\n").await.unwrap(),
        customers: put(&bucket, FOUR_FILES[2]).await,
        config: put(&bucket, FOUR_FILES[0]).await,
        validation: put(&bucket, FOUR_FILES[3]).await,
    };
    let config = read_config::call(bucket.clone(), files.clone()).await.unwrap();
    let joined = join_customers::call(bucket.clone(), files, config).await.unwrap();
    assert_eq!((joined.transactions, joined.batches), (0, 0));
}
