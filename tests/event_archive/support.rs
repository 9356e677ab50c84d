//! Two buckets in a folder, and their contents.

use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use pipeline_examples::event_archive::header::Start;
use pipeline_examples::event_archive::layout::Hour;
use pipeline_examples::event_archive::pipeline::{EventReport, Options, OtherHeader, event_archive};
use pipeline_examples::event_archive::seed;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::{Bucket, Object, RunReport, RunState};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The starts of the seed's intervals.
pub(crate) const INTERVALS: [&str; 3] = ["2021-09-01T07:00:00Z", "2021-09-01T07:30:00Z", "2021-09-01T08:00:00Z"];

/// A source and a target bucket.
pub(crate) struct Buckets(TempDir);

/// Rows by archive, sorted, as the order in which files were added does not matter.
pub(crate) type Rows = BTreeMap<String, Vec<String>>;

impl Buckets {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for bucket in ["source-bucket", "target-bucket"] {
            fs::create_dir(folder.path().join(bucket)).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn options(&self) -> Options {
        let bucket = |name: &str| format!("file://{}", self.path(name).display());
        Options { source: bucket("source-bucket"), target: bucket("target-bucket"), ..Options::default() }
    }

    /// Writes the files of an interval; 1 is the first.
    pub(crate) fn seed(&self, interval: u8) {
        let date = INTERVALS[0][..10].parse().unwrap();
        let seed = seed::Command { source: self.options().source, date, interval: Some(interval) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(seed.run(&mut Vec::new())).unwrap();
    }

    /// Writes a source file now, so that it is new to every interval.
    pub(crate) fn write(&self, key: &str, contents: &str) {
        let file = self.path("source-bucket").join(key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, contents).unwrap();
    }

    fn runner(&self, date: &str, header: OtherHeader) -> Runner {
        let options = Options { header, ..self.options() };
        let runner = Runner::new().pipeline(event_archive(), options).logical_date(date).progress(Progress::Silent);
        runner.journal(self.path("journal.db"))
    }

    /// Runs an interval, which must succeed.
    pub(crate) fn run(&self, date: &str) -> RunReport {
        let report = self.try_run(date);
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        report
    }

    pub(crate) fn try_run(&self, date: &str) -> RunReport {
        self.try_run_with(date, OtherHeader::Apart)
    }

    pub(crate) fn try_run_with(&self, date: &str, header: OtherHeader) -> RunReport {
        self.runner(date, header).run().unwrap().into_reports().remove(0)
    }

    /// The contents of the archives.
    pub(crate) fn archived(&self) -> Rows {
        let target = self.path("target-bucket");
        self.archives().into_iter().map(|object| (object.key.clone(), sorted(&unzipped(&target.join(object.key))))).collect()
    }

    /// The expected contents: every row of every source file once, and the common header row of each archive.
    pub(crate) fn expected(&self) -> Rows {
        let source = self.path("source-bucket");
        let mut rows = BTreeMap::<String, Vec<String>>::new();
        for file in files(&source) {
            let key = key(&source, &file);
            let (hour, _) = Hour::of(&key).unwrap();
            let text = fs::read_to_string(file).unwrap();
            let mut lines = text.lines().map(str::to_owned);
            let header = lines.next().unwrap();
            let mut archive = hour.to_string();
            if rows.get(&archive).is_some_and(|rows| rows[0] != header) {
                archive = apart(&hour, &header);
            }
            let rows = rows.entry(archive).or_insert_with(|| vec![header]);
            rows.extend(lines);
        }
        for rows in rows.values_mut() {
            rows.sort();
        }
        rows
    }

    /// The archives, as the bucket lists them: a killed process may leave files in the folder that are not objects.
    pub(crate) fn archives(&self) -> Vec<Object> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Bucket::open(&self.options().target).unwrap().list("")).unwrap()
    }

    /// Sets the time of all source files.
    pub(crate) fn age(&self, written: &str) {
        let written: DateTime<Utc> = written.parse().unwrap();
        for file in files(&self.path("source-bucket")) {
            fs::File::options().append(true).open(file).unwrap().set_modified(written.into()).unwrap();
        }
    }
}

/// How many files a run has added, and to how many archives.
pub(crate) fn changed(report: &RunReport) -> (usize, usize) {
    let events = report.output::<Vec<EventReport>>("each(report_event)").unwrap();
    let archives: Vec<usize> = events.iter().flat_map(|event| &event.archives).map(|archived| archived.added).collect();
    (archives.iter().sum(), archives.iter().filter(|added| **added > 0).count())
}

/// A run's report on an event, as (archive, added, known).
pub(crate) fn event(report: &RunReport, element: usize) -> (String, Vec<(String, usize, usize)>) {
    let event = report.output::<EventReport>(&format!("report_event[{element}]")).unwrap();
    (event.event, event.archives.into_iter().map(|of| (of.archive, of.added, of.known)).collect())
}

/// The key of the hour's archive of files with this header row.
pub(crate) fn apart(hour: &Hour, header: &str) -> String {
    let mut start = Start::default();
    start.push(header.as_bytes()).unwrap();
    hour.apart(start.end().unwrap().tag())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_hidden = path.file_name().unwrap().to_string_lossy().starts_with('.');
        if path.is_dir() {
            found.extend(files(&path));
        } else if !is_hidden {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn key(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()
}

fn sorted(rows: &str) -> Vec<String> {
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// The text, as any tool decompresses it.
pub(crate) fn unzipped(file: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    text
}
