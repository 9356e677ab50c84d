//! The pipelines, the files they wait for, and the buckets in which the files arrive.

use chrono::NaiveDate;
use pipeline_examples::cloud_data_pipeline::mock_s3::{
    CONFIG, CUSTOMERS, DAILY_EXPORT, MockFile, MockS3, TRANSACTIONS, VALIDATION,
};
use pipeline_examples::cloud_data_pipeline::pipelines::Options;
use pipeline_examples::cloud_data_pipeline::pipelines::advanced::advanced_cloud_sensors;
use pipeline_examples::cloud_data_pipeline::pipelines::daily_export::cloud_data_pipeline;
use pipeline_examples::cloud_data_pipeline::pipelines::multi_bucket::multi_bucket_pipeline;
use pipeline_runtime::{CallbackReport, Pipeline, RunReport, Simulation};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const DAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 3, 25).unwrap();
const LOGICAL_DATE: &str = "2024-03-25";

/// The files of task 2.
pub(crate) const FOUR_FILES: [MockFile; 4] = [CONFIG, TRANSACTIONS, CUSTOMERS, VALIDATION];

/// A simulation of task 1, in memory.
pub(crate) fn task_1<'a>() -> Simulation<'a> {
    in_memory(cloud_data_pipeline())
}

/// A simulation of task 2, in memory.
pub(crate) fn task_2<'a>() -> Simulation<'a> {
    in_memory(multi_bucket_pipeline())
}

/// A simulation of task 3, in memory.
pub(crate) fn task_3<'a>() -> Simulation<'a> {
    in_memory(advanced_cloud_sensors())
}

/// A simulation of one of the example's pipelines.
pub(crate) fn in_memory<'a>(pipeline: Pipeline) -> Simulation<'a> {
    let options = Options { store: "memory://".into() };
    Simulation::new(pipeline).params(options).logical_date(LOGICAL_DATE)
}

/// The URL at which a file arrives in memory.
pub(crate) fn url(file: MockFile) -> String {
    format!("memory://{}/{}", file.bucket, file.key(DAY))
}

/// Adds a file to a simulation.
pub(crate) trait Arrive {
    /// The file arrives at that time.
    fn file(self, when: &str, file: MockFile) -> Self;
}

impl Arrive for Simulation<'_> {
    fn file(self, when: &str, file: MockFile) -> Self {
        self.arrive(when, &url(file), file.contents)
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Times in seconds, the unit of the exercise.
pub(crate) fn in_seconds(times: &[Duration]) -> Vec<f64> {
    times.iter().map(Duration::as_secs_f64).collect()
}

/// The times between pokes in whole seconds: `30, 60, 120`. More than three equal ones are written as `13 × 45`.
pub(crate) fn waits(times: &[Duration]) -> String {
    let waits: Vec<u64> = times.windows(2).map(|pair| pair[1].as_secs() - pair[0].as_secs()).collect();
    let words = waits.chunk_by(|a, b| a == b).flat_map(|same| match same {
        [wait, _, _, _, ..] => vec![format!("{} × {wait}", same.len())],
        few => few.iter().map(u64::to_string).collect(),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Which callbacks were notified and when, in order: `on_failure of export at 600 s`. Checks that all were delivered.
pub(crate) fn callback_times(report: &RunReport) -> String {
    let line = |callback: &CallbackReport<'_>| {
        assert!(callback.told().is_some(), "{}", report.timeline());
        let about = callback.node().unwrap_or("the run");
        format!("{} of {about} at {} s", callback.name(), callback.at().as_secs())
    };
    report.callbacks().iter().map(line).collect::<Vec<_>>().join(", ")
}

/// Mock buckets in a folder of their own.
pub(crate) struct Folder {
    folder: TempDir,
    mock: MockS3,
}

impl Folder {
    /// With all of the day's files.
    pub(crate) fn new() -> Self {
        let new = Self::empty();
        for file in [DAILY_EXPORT, CONFIG, TRANSACTIONS, CUSTOMERS, VALIDATION] {
            new.write(&path_of(file), file.contents);
        }
        new
    }

    /// Without files.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mock = MockS3::create(folder.path()).unwrap();
        Self { folder, mock }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn options(&self) -> Options {
        Options { store: self.mock.store() }
    }

    /// A run of task 1.
    pub(crate) fn run_task_1(&self) -> RunReport {
        Simulation::new(cloud_data_pipeline()).params(self.options()).logical_date(LOGICAL_DATE).run()
    }

    /// A run of task 2.
    pub(crate) fn run_task_2(&self) -> RunReport {
        Simulation::new(multi_bucket_pipeline()).params(self.options()).logical_date(LOGICAL_DATE).run()
    }

    pub(crate) fn write(&self, path: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.root().join(path), contents).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.root().join(path).exists()
    }

    /// The names in a folder, sorted.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root().join(path)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A file's path below the root.
pub(crate) fn path_of(file: MockFile) -> String {
    format!("{}/{}", file.bucket, file.key(DAY))
}
