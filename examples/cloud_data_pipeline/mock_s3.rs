//! The mock of S3: a folder with a subfolder for each bucket, and the files that arrive in them.

use super::pipelines::{day_before, day_of};
use chrono::NaiveDate;
use pipeline_runtime::{Bucket, BucketError, Clock, Object};
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the mock is unless somebody says otherwise; the pipelines look there, too.
pub const DEFAULT_ROOT: &str = "/tmp/mock-s3";

/// The regions that `multi_region_pipeline` looks at, each with a bucket `data-bucket-REGION`.
pub const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "ap-southeast-1"];

/// The folders of the mock, the buckets being the first segments: those of tasks 1 and 2, of task 3 and of the regions.
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
    /// The key, with the day as `strftime` has it.
    key: &'static str,
    /// What is in it.
    pub contents: &'static str,
}

impl MockFile {
    /// The key of that day's file.
    pub fn key(&self, day: NaiveDate) -> String {
        day.format(self.key).to_string()
    }
}

/// What task 1 waits for.
pub const DAILY_EXPORT: MockFile = MockFile {
    bucket: "data-bucket",
    key: "raw/daily_export_%Y%m%d.json",
    contents: r#"{"records": [{"id": 1, "value": "test"}]}"#,
};

/// How task 2 is to process its files.
pub const CONFIG: MockFile = MockFile {
    bucket: "config-bucket",
    key: "daily/processing_config_%Y%m%d.yaml",
    contents: "processing:\n  batch_size: 1000\n  timeout: 300",
};

/// What task 2 processes.
pub const TRANSACTIONS: MockFile = MockFile {
    bucket: "data-bucket",
    key: "raw/transactions_%Y%m%d.csv",
    contents: "id,amount,customer\n1,100.00,customer1\n2,250.50,customer2",
};

/// What task 2 joins the transactions with.
pub const CUSTOMERS: MockFile = MockFile {
    bucket: "data-bucket",
    key: "raw/customers_%Y%m%d.json",
    contents: r#"{"customers": [{"id": "customer1", "name": "John"}, {"id": "customer2", "name": "Jane"}]}"#,
};

/// What tells whether task 2 may use the data.
pub const VALIDATION: MockFile = MockFile {
    bucket: "logs-bucket",
    key: "validation/data_quality_%Y%m%d.log",
    contents: "INFO: Data validation completed successfully\nINFO: 2 records processed",
};

/// What task 3 waits for.
pub const CRITICAL_DATA: MockFile = MockFile {
    bucket: "enterprise-bucket",
    key: "critical/critical_data_%Y%m%d.json",
    contents: r#"{"critical_metrics": {"revenue": 1000000, "transactions": 50000, "errors": 12}, "status": "CRITICAL"}"#,
};

/// The files of task 2 in the order in which they arrive, each so many seconds after the one before.
pub const DELAYED: [(u64, MockFile); 4] = [(10, CONFIG), (30, TRANSACTIONS), (60, CUSTOMERS), (120, VALIDATION)];

/// A mock of S3 in a folder.
#[derive(Debug, Clone)]
pub struct MockS3 {
    root: String,
}

impl MockS3 {
    /// The mock in that folder, whose folders are made where they are missing.
    pub fn create(root: &Path) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        for folder in FOLDERS {
            let folder = root.join(folder);
            let named = |error: io::Error| io::Error::new(error.kind(), format!("could not make {}: {error}", folder.display()));
            std::fs::create_dir_all(&folder).map_err(named)?;
        }
        let not_utf8 = |root| io::Error::other(format!("{} is not UTF-8", PathBuf::from(root).display()));
        Ok(Self { root: root.into_os_string().into_string().map_err(not_utf8)? })
    }

    /// What the pipelines' param `store` has to be for them to look here.
    pub fn store(&self) -> String {
        format!("file://{}", self.root)
    }

    /// Where that day's file is, or will be.
    pub fn path(&self, file: &MockFile, day: NaiveDate) -> PathBuf {
        [&self.root, file.bucket, &file.key(day)].iter().collect()
    }

    /// Lets a file arrive: all of it at once, so that nobody sees half of it.
    pub async fn put(&self, file: &MockFile, day: NaiveDate) -> Result<Object, BucketError> {
        self.bucket(file)?.put(&file.key(day), file.contents).await
    }

    /// Takes a file away, if it is there.
    pub async fn remove(&self, file: &MockFile, day: NaiveDate) -> Result<(), BucketError> {
        self.bucket(file)?.delete(&file.key(day)).await
    }

    fn bucket(&self, file: &MockFile) -> Result<Bucket, BucketError> {
        Bucket::open(&format!("{}/{}", self.store(), file.bucket))
    }
}

/// What `mock-s3` does.
pub const ABOUT: &str = "Makes the mock of S3 that the pipelines look at: folders and test files";

/// The command `mock-s3`.
#[derive(Debug, clap::Parser)]
#[command(about = ABOUT)]
pub struct Command {
    /// The folder that the buckets are in
    #[arg(long, value_name = "DIR", default_value = DEFAULT_ROOT)]
    pub root: PathBuf,
    /// The logical date whose files are made, as `run` takes it [default: that of a `run` without one]
    #[arg(long, value_name = "D", value_parser = day_of)]
    pub date: Option<NaiveDate>,
    /// Lets the four files of `multi_bucket_pipeline` arrive 10, 30, 60 and 120 seconds after one another
    #[arg(long)]
    pub delayed: bool,
    /// Makes the folders alone
    #[arg(long, conflicts_with = "delayed")]
    pub empty: bool,
}

impl Command {
    /// Makes them, and tells `out` of each.
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
