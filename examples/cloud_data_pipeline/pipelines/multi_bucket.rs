//! Task 2: four files in three buckets; processing starts once all of them have arrived.

use super::{Options, arrival, page_on_call, read};
use crate::cloud_data_pipeline::domain::customers::{self, Customers};
use crate::cloud_data_pipeline::domain::join::{Join, Joined};
use crate::cloud_data_pipeline::domain::transactions;
use crate::cloud_data_pipeline::domain::{config, config::ProcessingConfig, validation, validation::Validation};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// Waits for the day's transactions, which everything else depends on.
#[sensor(timeout = "15m", poke = "30s", mode = "reschedule")]
pub async fn transactions_file(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    arrival(&bucket, &key).await
}

/// Waits for the customers, which may arrive late.
#[sensor(timeout = "20m", poke = "45s", mode = "reschedule")]
pub async fn customers_file(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    arrival(&bucket, &key).await
}

/// Waits for the configuration, which should arrive early.
#[sensor(timeout = "5m", poke = "15s", mode = "reschedule")]
pub async fn config_file(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    arrival(&bucket, &key).await
}

/// Waits for the log of the data validation, which is written last.
#[sensor(timeout = "25m", poke = "45s", mode = "reschedule")]
pub async fn validation_log(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    arrival(&bucket, &key).await
}

/// The files of one day, all of which have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// `data-bucket/raw/transactions_YYYYMMDD.csv`
    pub transactions: Object,
    /// `data-bucket/raw/customers_YYYYMMDD.json`
    pub customers: Object,
    /// `config-bucket/daily/processing_config_YYYYMMDD.yaml`
    pub config: Object,
    /// `logs-bucket/validation/data_quality_YYYYMMDD.log`
    pub validation: Object,
}

/// Combines the four files: a task that takes this output starts once all of them have arrived.
#[task]
pub async fn all_arrived(transactions: Object, customers: Object, config: Object, validation: Object) -> Result<Arrived> {
    Ok(Arrived { transactions, customers, config, validation })
}

/// Fails if the validation found an error in the day's data.
#[task]
pub async fn check_validation(logs: Bucket, files: Arrived) -> Result<Validation> {
    let source = read(&logs, &files.validation.key, validation::FORMAT).await?;
    Validation::read(&source).map_err(TaskError::fatal)
}

/// Reads the configuration for processing the transactions.
#[task]
pub async fn read_config(configs: Bucket, files: Arrived) -> Result<ProcessingConfig> {
    let source = read(&configs, &files.config.key, config::FORMAT).await?;
    ProcessingConfig::read(&source).map_err(TaskError::fatal)
}

/// Joins the transactions with their customers and writes the result to `processed/`.
#[task]
pub async fn join_customers(data: Bucket, files: Arrived, config: ProcessingConfig) -> Result<Joined> {
    let joining = join(&data, &files, &config);
    tokio::time::timeout(config.timeout(), joining)
        .await
        .map_err(|_| format!("the join took longer than {:?}", config.timeout()))?
}

async fn join(data: &Bucket, files: &Arrived, config: &ProcessingConfig) -> Result<Joined> {
    let source = read(data, &files.transactions.key, transactions::FORMAT).await?;
    let transactions = transactions::read(&source).map_err(TaskError::fatal)?;
    let customers = Customers::read(&read(data, &files.customers.key, customers::FORMAT).await?).map_err(TaskError::fatal)?;

    let mut join = Join::new(&source, &customers);
    for batch in transactions.chunks(config.batch_size.get()) {
        join.batch(batch).map_err(TaskError::fatal)?;
        // Lets other tasks run between two batches, and lets the timeout take effect.
        tokio::task::yield_now().await;
    }
    let key = files.transactions.key.replacen("raw/", "processed/", 1);
    let (csv, joined) = join.finish(format!("{}/{key}", data.name()))?;
    data.put(&key, csv).await?;
    Ok(joined)
}

/// Reports the outcome of the day's transactions, whatever it is.
#[task]
pub async fn report(validation: Outcome<Validation>, joined: Outcome<Joined>) -> Result<String> {
    let warnings = validation.success().map_or(0, |validation| validation.warnings.len());
    let news = match joined {
        Outcome::Success(Joined { result, transactions, batches, total }) => {
            format!("{result}: {transactions} transaction(s) over {total}, {batches} batch(es), {warnings} warning(s)")
        }
        Outcome::Failed(failure) => format!("`{}` failed: {}", failure.node(), failure.error()),
        Outcome::Skipped => "nothing to do".to_owned(),
    };
    tracing::info!("{news}");
    Ok(news)
}

/// Waits for four files in three buckets, checks and joins them, and writes the result.
///
/// A run's files are named after its logical date: those of a day are awaited once the day is over.
#[pipeline(
    schedule = "@daily", start = "2024-01-01", sla = "20m", on_sla_miss = page_on_call, on_failure = page_on_call,
    defaults(retries = 1, retry_delay = "5m"), tags = ["exercise-2"]
)]
pub fn multi_bucket_pipeline(options: Options) -> Result<()> {
    let (data, configs, logs) =
        (options.bucket("data-bucket")?, options.bucket("config-bucket")?, options.bucket("logs-bucket")?);

    let transactions = transactions_file(&data, template!("raw/transactions_{{ ds_nodash }}.csv"));
    let customers = customers_file(&data, template!("raw/customers_{{ ds_nodash }}.json"));
    let config = config_file(&configs, template!("daily/processing_config_{{ ds_nodash }}.yaml"));
    let validation = validation_log(&logs, template!("validation/data_quality_{{ ds_nodash }}.log"));
    let files = all_arrived(transactions, customers, config, validation);

    let validation = check_validation(&logs, files);
    let config = read_config(&configs, files);
    let joined = join_customers(&data, files, config).after(validation);
    report(validation, joined);
    Ok(())
}
