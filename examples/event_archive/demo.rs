//! Three intervals in a row, with files that arrive on time and late.

use super::pipeline::{EventReport, Options, event_archive};
use super::seed;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use flate2::read::MultiGzDecoder;
use pipeline_runtime::Bucket;
use pipeline_runtime::cli::Runner;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

/// The help text of `demo`.
pub const ABOUT: &str =
    "Archives the files of three intervals in a row, in a folder of its own, and shows what is in the archives";

/// The command `demo`.
#[derive(Debug, clap::Parser)]
#[command(about = ABOUT)]
pub struct Command {}

/// The day whose files arrive.
const DAY: NaiveDate = NaiveDate::from_ymd_opt(2021, 9, 1).expect("a day of the calendar");
/// The start of the first interval.
const FIRST: NaiveDateTime = DAY.and_hms_opt(7, 0, 0).expect("a time of the day");

impl Command {
    /// Runs the intervals.
    pub fn run(&self, out: &mut impl Write) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().to_str().ok_or("the folder for temporary files is not UTF-8")?;
        let bucket = |name: &str| format!("file://{root}/{name}");
        let options = Options { source: bucket("source-bucket"), target: bucket("target-bucket"), ..Options::default() };
        std::fs::create_dir(folder.path().join("target-bucket"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for interval in 1..=seed::INTERVALS {
            let start = FIRST + TimeDelta::minutes(30) * i32::from(interval - 1);
            writeln!(out, "\nFrom {} on arrive:", start.format("%R"))?;
            let seed = seed::Command { source: options.source.clone(), date: DAY, interval: Some(interval) };
            runtime.block_on(seed.run(out))?;
            writeln!(out)?;
            let finished = Runner::new()
                .pipeline(event_archive(), &options)
                .logical_date(&start.and_utc().to_rfc3339())
                .journal(folder.path().join("journal.db"))
                .run()?;
            for report in finished.reports() {
                for event in report.output::<Vec<EventReport>>("each(report_event)").unwrap_or_default() {
                    let archives = event.archives.iter().map(|archived| format!("{} (+{})", archived.archive, archived.added));
                    writeln!(out, "{}: {}", event.event, archives.collect::<Vec<_>>().join(", "))?;
                }
            }
            if finished.exit_code() != ExitCode::SUCCESS {
                return Ok(finished.exit_code());
            }
        }
        writeln!(out, "\nContents of the archives:")?;
        let target = Bucket::open(&options.target)?;
        for object in runtime.block_on(target.list(""))? {
            writeln!(out, "\n{}", object.key)?;
            let archive = runtime.block_on(target.get(&object.key))?;
            io::copy(&mut MultiGzDecoder::new(&archive[..]), out)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
