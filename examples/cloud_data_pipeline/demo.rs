//! The pipelines of the three tasks on a fast clock, waiting for files that arrive late.

use super::mock_s3::{CRITICAL_DATA, DAILY_EXPORT, DELAYED, MockFile, MockS3};
use super::pipelines::Options;
use super::pipelines::advanced::advanced_cloud_sensors;
use super::pipelines::daily_export::cloud_data_pipeline;
use super::pipelines::multi_bucket::multi_bucket_pipeline;
use chrono::NaiveDate;
use pipeline_runtime::Clock;
use pipeline_runtime::cli::Runner;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ExitCode};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The help text of `demo`.
pub const ABOUT: &str =
    "Runs the three tasks' pipelines on mock buckets of their own and a fast clock, while their files arrive late";

/// The command `demo`.
#[derive(Debug, clap::Parser)]
#[command(about = ABOUT)]
pub struct Command {
    /// How many times faster than real time the clock runs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    speed: u32,
    /// Keeps the buckets and a journal of the runs, and shows that as a web page, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// The day whose files arrive.
const DAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 3, 25).expect("a day of the calendar");
/// The seconds after which the file of task 1 arrives.
const EXPORT_AFTER: u64 = 100;
/// The seconds after which the file of task 3 arrives: between its third poke and its fourth.
const CRITICAL_DATA_AFTER: u64 = 150;

impl Command {
    /// Runs the pipelines.
    pub fn run(&self, out: &mut impl Write) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
        let folder = TemporaryFolder::new()?;
        let mock = MockS3::create(&folder.0)?;
        let options = Options { store: mock.store() };
        writeln!(out, "Fresh buckets at {}. Four minutes of waiting, {} times as fast.\n", mock.store(), self.speed)?;
        let (late, later, latest) = (mock.clone(), mock.clone(), mock);
        let journal = folder.0.join("journal.db");
        let shown: Arc<OnceLock<io::Result<Child>>> = Arc::default();
        let mut runner = Runner::new();
        if self.keep {
            let (journal, shown) = (journal.clone(), Arc::clone(&shown));
            // `beside` starts once the journal exists.
            runner = runner.journal(&journal).beside(move |_| async move {
                shown.get_or_init(|| page(&journal)?.spawn());
            });
        }
        let finished = runner
            .pipeline(cloud_data_pipeline(), &options)
            .pipeline(multi_bucket_pipeline(), &options)
            .pipeline(advanced_cloud_sensors(), &options)
            .logical_date(&DAY.to_string())
            .speed(self.speed)
            .beside(move |clock| async move { arrive(&late, &[(EXPORT_AFTER, DAILY_EXPORT)], clock).await })
            .beside(move |clock| async move { arrive(&later, &DELAYED, clock).await })
            .beside(move |clock| async move { arrive(&latest, &[(CRITICAL_DATA_AFTER, CRITICAL_DATA)], clock).await })
            .run()?;
        if finished.is_interrupted() {
            return Ok(finished.exit_code());
        }
        writeln!(out, "\nMetrics:")?;
        for report in finished.reports() {
            let mut metrics = report.metrics();
            for sensor in &mut metrics.sensors {
                // Files have times of the real clock, and this run's clock is ahead of it.
                sensor.detection = None;
            }
            writeln!(out, "\n{}", metrics.to_string().trim_end())?;
        }
        writeln!(out, "\nFiles that they wrote:")?;
        for file in written(&folder.0)? {
            writeln!(out, "\n{}\n{}", file.strip_prefix(&folder.0)?.display(), fs::read_to_string(&file)?.trim_end())?;
        }
        if let Some(shown) = Arc::into_inner(shown).and_then(OnceLock::into_inner) {
            let mut shown = shown?;
            // This process replaces it, so that a signal ends both the page and the demo.
            shown.kill()?;
            shown.wait()?;
            writeln!(out, "\nThe page stays until Ctrl-C, and the folder beyond that: {}", folder.keep().display())?;
            return become_page(&journal);
        }
        Ok(finished.exit_code())
    }
}

/// The command that shows a journal as a web page, and prints its address.
fn page(journal: &Path) -> io::Result<process::Command> {
    let mut command = process::Command::new(env::current_exe()?);
    command.arg("--journal").arg(journal).args(["dashboard", "--read-only"]);
    Ok(command)
}

/// Becomes that process, or runs it and returns its exit code.
fn become_page(journal: &Path) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    #[cfg(unix)]
    return Err(page(journal)?.exec().into());
    #[cfg(not(unix))]
    return Ok(if page(journal)?.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
}

/// Lets files arrive, each the given seconds after the one before.
async fn arrive(mock: &MockS3, files: &[(u64, MockFile)], clock: Clock) {
    for (seconds, file) in files {
        clock.sleep_until(clock.now() + Duration::from_secs(*seconds)).await;
        match mock.put(file, DAY).await {
            Ok(object) => tracing::info!(target: "mock-s3", "{}/{} arrives", object.bucket, object.key),
            Err(error) => tracing::error!(target: "mock-s3", "{error}"),
        }
    }
}

/// The files that the pipelines wrote.
fn written(root: &Path) -> io::Result<Vec<PathBuf>> {
    let files = fs::read_dir(root.join("data-bucket/processed"))?;
    let mut files: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<io::Result<_>>()?;
    files.sort();
    Ok(files)
}

/// A folder that is removed when this is dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> io::Result<Self> {
        let process = process::id();
        for number in 0.. {
            let folder = std::env::temp_dir().join(format!("mock-s3-demo-{process}-{number}"));
            match fs::create_dir(&folder) {
                // Left by a killed process with the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(folder)),
            }
        }
        unreachable!("the numbers do not end")
    }
}

impl TemporaryFolder {
    /// Keeps the folder.
    fn keep(self) -> PathBuf {
        let mut folder = self;
        std::mem::take(&mut folder.0)
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // Leftovers are in the system's temporary folder. After `keep` the path is empty.
        let _ = fs::remove_dir_all(&self.0);
    }
}
