//! Both tasks under the production engine, in real time, on files.

use crate::support::{DAY, Folder};
use pipeline_examples::cloud_data_pipeline::mock_s3::{
    CONFIG, CUSTOMERS, Command, DAILY_EXPORT, MockFile, TRANSACTIONS, VALIDATION,
};
use pipeline_examples::cloud_data_pipeline::pipelines::Options;
use pipeline_examples::cloud_data_pipeline::pipelines::daily_export::{
    archive, cloud_data_pipeline, daily_export, notify, process,
};
use pipeline_examples::cloud_data_pipeline::pipelines::multi_bucket::{
    all_arrived, check_validation, config_file, customers_file, join_customers, multi_bucket_pipeline, read_config, report,
    transactions_file, validation_log,
};
use pipeline_runtime::cli::{Finished, Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Clock, RunState};
use std::time::Duration;

const POKE: Duration = Duration::from_millis(5);
/// By default a poke may take until the next one is due, which is too short for a busy disk.
const POKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes a file to its bucket.
#[task]
async fn deliver(options: Options, file: MockFile) -> Result<()> {
    let bucket = Bucket::open(&format!("{}/{}", options.store, file.bucket))?;
    bucket.put(&file.key(DAY), file.contents).await?;
    Ok(())
}

/// The tasks of both pipelines, with milliseconds between pokes. Each file arrives as soon as the one before was found, while the
/// sensors for the later files are being poked.
#[pipeline]
fn both_tasks_in_milliseconds(options: Options) -> Result<()> {
    let bucket = |name: &str| Bucket::open(&format!("{}/{name}", options.store));
    let (data, configs, logs) = (bucket("data-bucket")?, bucket("config-bucket")?, bucket("logs-bucket")?);

    let export = daily_export(&data, template!("raw/daily_export_{{ ds_nodash }}.json")).poke(POKE).poke_timeout(POKE_TIMEOUT);
    let summary = process(&data, export);
    notify(summary, archive(&data, export, summary));

    let transactions =
        transactions_file(&data, template!("raw/transactions_{{ ds_nodash }}.csv")).poke(POKE).poke_timeout(POKE_TIMEOUT);
    let customers = customers_file(&data, template!("raw/customers_{{ ds_nodash }}.json")).poke(POKE).poke_timeout(POKE_TIMEOUT);
    let config =
        config_file(&configs, template!("daily/processing_config_{{ ds_nodash }}.yaml")).poke(POKE).poke_timeout(POKE_TIMEOUT);
    let validation =
        validation_log(&logs, template!("validation/data_quality_{{ ds_nodash }}.log")).poke(POKE).poke_timeout(POKE_TIMEOUT);
    let files = all_arrived(transactions, customers, config, validation);
    let checked = check_validation(&logs, files);
    let joined = join_customers(&data, files, read_config(&configs, files)).after(checked);
    report(checked, joined);

    deliver(&options, CONFIG);
    deliver(&options, TRANSACTIONS).after(config);
    deliver(&options, CUSTOMERS).after(transactions);
    deliver(&options, VALIDATION).after(customers);
    deliver(&options, DAILY_EXPORT).after(validation);
    Ok(())
}

#[test]
fn files_that_arrive_while_their_sensors_wait_are_found_and_processed() {
    let folder = Folder::empty();
    let finished = Runner::new()
        .pipeline(both_tasks_in_milliseconds(), folder.options())
        .logical_date("2024-03-25")
        .progress(Progress::Silent)
        .run()
        .unwrap();
    let report = &finished.reports()[0];
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());

    let order = ["config_file", "transactions_file", "customers_file", "validation_log", "daily_export"];
    assert!(order.is_sorted_by_key(|id| report.node(id).finished()), "{}", report.timeline());
    for id in order {
        let pokes = report.node(id).poke_times();
        // The gaps are not always `POKE`: a file that arrives causes a poke before the tick.
        assert!(pokes.windows(2).all(|pair| pair[0] < pair[1]), "{id}: {pokes:?}");
    }
    assert!(report.node("daily_export").pokes() > 1, "it waited\n{}", report.timeline());
    assert_eq!(folder.names("data-bucket/processed"), ["daily_export_20240325_summary.json", "transactions_20240325.csv"]);
    assert_eq!(folder.names("data-bucket/archive"), ["daily_export_20240325.json"]);
}

/// Runs `mock-s3` and both pipelines now, without a given date.
fn made_and_run(folder: &Folder) -> Finished {
    let command = Command { root: folder.root().to_owned(), date: None, delayed: false, empty: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(command.run(Clock::system(), &mut Vec::new())).unwrap();
    Runner::new()
        .pipeline(cloud_data_pipeline(), folder.options())
        .pipeline(multi_bucket_pipeline(), folder.options())
        // Fails within a minute if the bug that this test guards against returns.
        .speed(20)
        .progress(Progress::Silent)
        .run()
        .unwrap()
}

#[test]
fn mock_s3_and_run_agree_on_the_day_where_nobody_names_one() {
    let finished = made_and_run(&Folder::empty());
    for report in finished.reports() {
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    }
    for id in ["config_file", "transactions_file", "customers_file", "validation_log"] {
        assert_eq!(finished.reports()[1].node(id).pokes(), 1, "{id}");
    }
}
