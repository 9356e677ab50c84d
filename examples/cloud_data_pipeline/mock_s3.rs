//! The mock of S3: a folder with a subfolder for each bucket, and the files that arrive in them.

use super::pipelines::{day_before, day_of};
use chrono::NaiveDate;
use pipeline_runtime::{Bucket, BucketError, Clock, Object};
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default folder of the mock, which is also the pipelines' default.
pub const DEFAULT_ROOT: &str = "/tmp/mock-s3";

/// The regions of `multi_region_pipeline`, each with a bucket `data-bucket-REGION`.
pub const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "ap-southeast-1"];

/// The folders of the mock; the first segment of each is the bucket: those of tasks 1 and 2, of task 3 and of the regions.
const FOLDERS: [&str; 11] = [
    "data-bucket/raw",
    "data-bucket/processed",
    "data-bucket/archive",
    "config-bucket/daily",
    "logs-bucket/application",
    "logs-bucket/access",
    "logs-bucket/validation",
    "enterprise-bucket/critical",
    "data-bucket-eu-west-1/raw",
    "data-bucket-us-east-1/raw",
    "data-bucket-ap-southeast-1/raw",
];

/// A file that arrives in the mock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MockFile {
    /// The bucket.
    pub bucket: &'static str,
    /// The key, with the day in `strftime` format.
    key: &'static str,
    /// The contents.
    pub contents: &'static str,
}

impl MockFile {
    /// The key of this file for a day.
    pub fn key(&self, day: NaiveDate) -> String {
        day.format(self.key).to_string()
    }
}

/// The file that task 1 waits for.
pub const DAILY_EXPORT: MockFile = MockFile {
    bucket: "data-bucket",
    key: "raw/daily_export_%Y%m%d.json",
    contents: r#"{"records": [{"id": 1, "value": "test"}]}"#,
};

/// The configuration of task 2.
pub const CONFIG: MockFile = MockFile {
    bucket: "config-bucket",
    key: "daily/processing_config_%Y%m%d.yaml",
    contents: "processing:\n  batch_size: 1000\n  timeout: 300",
};

/// The transactions that task 2 processes.
pub const TRANSACTIONS: MockFile = MockFile {
    bucket: "data-bucket",
    key: "raw/transactions_%Y%m%d.csv",
    contents: "id,amount,customer\n1,100.00,customer1\n2,250.50,customer2",
};

/// The customers with which task 2 joins the transactions.
pub const CUSTOMERS: MockFile = MockFile {
    bucket: "data-bucket",
    key: "raw/customers_%Y%m%d.json",
    contents: r#"{"customers": [{"id": "customer1", "name": "John"}, {"id": "customer2", "name": "Jane"}]}"#,
};

/// The log that shows whether task 2 may use the data.
pub const VALIDATION: MockFile = MockFile {
    bucket: "logs-bucket",
    key: "validation/data_quality_%Y%m%d.log",
    contents: "INFO: Data validation completed successfully\nINFO: 2 records processed",
};

/// The file that task 3 waits for.
pub const CRITICAL_DATA: MockFile = MockFile {
    bucket: "enterprise-bucket",
    key: "critical/critical_data_%Y%m%d.json",
    contents: r#"{"critical_metrics": {"revenue": 1000000, "transactions": 50000, "errors": 12}, "status": "CRITICAL"}"#,
};

/// The files of task 2 in the order of their arrival, each with the seconds since the one before.
pub const DELAYED: [(u64, MockFile); 4] = [(10, CONFIG), (30, TRANSACTIONS), (60, CUSTOMERS), (120, VALIDATION)];

/// A mock of S3 in a folder.
#[derive(Debug, Clone)]
pub struct MockS3 {
    root: String,
}

impl MockS3 {
    /// Creates the mock in that folder, with any missing folders.
    pub fn create(root: &Path) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        for folder in FOLDERS {
            let folder = root.join(folder);
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("could not create {}: {error}", folder.display()));
            std::fs::create_dir_all(&folder).map_err(named)?;
        }
        let not_utf8 = |root| io::Error::other(format!("{} is not UTF-8", PathBuf::from(root).display()));
        Ok(Self { root: root.into_os_string().into_string().map_err(not_utf8)? })
    }

    /// The value of the pipelines' param `store` for this mock.
    pub fn store(&self) -> String {
        format!("file://{}", self.root)
    }

    /// The path of a file for a day, whether or not it has arrived.
    pub fn path(&self, file: &MockFile, day: NaiveDate) -> PathBuf {
        [&self.root, file.bucket, &file.key(day)].iter().collect()
    }

    /// Lets a file arrive as a whole, so that no reader sees half of it.
    pub async fn put(&self, file: &MockFile, day: NaiveDate) -> Result<Object, BucketError> {
        self.bucket(file)?.put(&file.key(day), file.contents).await
    }

    /// Removes a file, if it exists.
    pub async fn remove(&self, file: &MockFile, day: NaiveDate) -> Result<(), BucketError> {
        self.bucket(file)?.delete(&file.key(day)).await
    }

    fn bucket(&self, file: &MockFile) -> Result<Bucket, BucketError> {
        Bucket::open(&format!("{}/{}", self.store(), file.bucket))
    }
}

/// The help text of `mock-s3`.
pub const ABOUT: &str = "Creates the mock of S3 that the pipelines read: folders and test files";

/// The command `mock-s3`.
#[derive(Debug, clap::Parser)]
#[command(about = ABOUT)]
pub struct Command {
    /// The folder with the buckets
    #[arg(long, value_name = "DIR", default_value = DEFAULT_ROOT)]
    pub root: PathBuf,
    /// The logical date of the files, as for `run` [default: that of a `run` without one]
    #[arg(long, value_name = "D", value_parser = day_of)]
    pub date: Option<NaiveDate>,
    /// Lets the four files of `multi_bucket_pipeline` arrive 10, 30, 60 and 120 seconds after one another
    #[arg(long)]
    pub delayed: bool,
    /// Creates only the folders
    #[arg(long, conflicts_with = "delayed")]
    pub empty: bool,
}

impl Command {
    /// Creates the files, and prints each of them to `out`.
    pub async fn run(&self, clock: Clock, out: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
        let day = self.date.map_or_else(|| day_before(clock.now().to_utc()), Ok)?;
        let mock = MockS3::create(&self.root)?;
        writeln!(out, "Mock S3 at {}, with the files of {day}", mock.store())?;
        if self.delayed {
            for (_, file) in &DELAYED {
                mock.remove(file, day).await?;
            }
            for (seconds, file) in &DELAYED {
                clock.sleep_until(clock.now() + Duration::from_secs(*seconds)).await;
                mock.put(file, day).await?;
                writeln!(out, "Created delayed file: {} (after {seconds}s)", mock.path(file, day).display())?;
            }
        } else if !self.empty {
            for file in [DAILY_EXPORT, TRANSACTIONS, CUSTOMERS, CONFIG, VALIDATION, CRITICAL_DATA] {
                mock.put(&file, day).await?;
                writeln!(out, "Created: {}", mock.path(&file, day).display())?;
            }
        }
        Ok(())
    }
}
